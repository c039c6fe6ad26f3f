import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { loggerToken } from '../control-plane-parts.ts';
import type { AuthenticatedRequest } from '../http/actor.ts';
import { changesNothingKey } from './changes-nothing.ts';
import { IdempotencyService } from './idempotency.service.ts';

const replayedHeaders = ['etag', 'location'];
const keyShape = /^[\x21-\x7e]{1,255}$/;

/** `Idempotency-Key` on POST: the same request again has the same answer, and no other effect. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #idempotency: IdempotencyService;
  readonly #logger: Logger;
  readonly #reflector: Reflector;

  constructor(reflector: Reflector, idempotency: IdempotencyService, @Inject(loggerToken) logger: Logger) {
    this.#reflector = reflector;
    this.#idempotency = idempotency;
    this.#logger = logger;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined || request.actor === undefined) return next.handle();
    if (this.#reflector.get<boolean>(changesNothingKey, context.getHandler())) return next.handle();
    if (typeof key !== 'string' || !keyShape.test(key)) {
      throw new GatewayError('invalid_request', { problems: [{ pointer: '/Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters' }] });
    }
    const scope = { actor: request.actor, route: `${request.method} ${request.url.split('?', 1)[0]}`, key };
    return from(this.#once(scope, request, context.switchToHttp().getResponse<FastifyReply>(), next));
  }

  async #once(scope: { actor: string; route: string; key: string }, request: FastifyRequest & AuthenticatedRequest, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    const begun = await this.#idempotency.begin(scope, request.body);
    if ('answer' in begun) {
      void reply.status(begun.answer.status).headers({ ...begun.answer.headers, 'Idempotency-Replayed': 'true' });
      return begun.answer.body;
    }
    request.attempt = begun.attempt;
    const body: unknown = await lastValueFrom<unknown>(next.handle()).catch(async (error: unknown) => {
      await this.#release(begun.attempt, error);
      throw error;
    });
    const headers = Object.fromEntries(replayedHeaders.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])));
    // The change is made: an answer that cannot be recorded is still the answer.
    await this.#idempotency
      .conclude(begun.attempt, { status: reply.statusCode, headers, body })
      .catch((cause: unknown) => this.#logger.warn({ err: cause }, 'an answer was not recorded for its idempotency key'));
    return body;
  }

  async #release(attempt: string, error: unknown): Promise<void> {
    // Kept: whether the change was made shows a little later, and by the key.
    if (error instanceof GatewayError && error.code === 'commit_unknown') return;
    await this.#idempotency.release(attempt).catch((cause: unknown) => this.#logger.warn({ err: cause }, 'an idempotency key was not released'));
  }
}
