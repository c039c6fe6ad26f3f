import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import { type Observed, observedToken } from './observed.ts';

interface Answer {
  status(code: number): Answer;
  header(name: string, value: string): Answer;
  send(body: unknown): void;
}

/** The internal port: for the kubelet, Prometheus and operators; never exposed. */
@Controller()
export class HealthController {
  readonly #observed: Observed;

  constructor(@Inject(observedToken) observed: Observed) {
    this.#observed = observed;
  }

  @Get('livez')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Ready = a complete snapshot is applied and the process is not going. A channel that is away only degrades it. */
  @Get('readyz')
  async ready(@Res() answer: Answer): Promise<void> {
    const { ready, ...status } = await this.#observed.readiness();
    answer.status(ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE).send({ ready, ...status });
  }

  @Get('metrics')
  async metrics(@Res() answer: Answer): Promise<void> {
    const { type, text } = await this.#observed.metrics();
    answer.header('content-type', type).send(text);
  }

  @Get('debug/snapshot')
  snapshot(): object | Promise<object> {
    return this.#observed.describeSnapshot();
  }
}
