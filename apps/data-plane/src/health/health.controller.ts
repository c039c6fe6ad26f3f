import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import { DataPlane } from '../data-plane.ts';

interface Answer {
  status(code: number): Answer;
  header(name: string, value: string): Answer;
  send(body: unknown): void;
}

/** The internal port: for the kubelet, Prometheus and operators; never exposed. */
@Controller()
export class HealthController {
  readonly #dataPlane: DataPlane;

  constructor(@Inject(DataPlane) dataPlane: DataPlane) {
    this.#dataPlane = dataPlane;
  }

  @Get('livez')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Ready = a complete snapshot is applied and the process is not going. A channel that is away only degrades it. */
  @Get('readyz')
  ready(@Res() answer: Answer): void {
    const { ready, ...status } = this.#dataPlane.readiness();
    answer.status(ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE).send({ ready, ...status });
  }

  @Get('metrics')
  async metrics(@Res() answer: Answer): Promise<void> {
    const { registry } = this.#dataPlane;
    answer.header('content-type', registry.contentType).send(await registry.metrics());
  }

  @Get('debug/snapshot')
  snapshot(): object {
    return this.#dataPlane.describeSnapshot();
  }
}
