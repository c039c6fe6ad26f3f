import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { loggerToken } from '../control-plane-parts.ts';
import { AllowedMethods } from './allowed-methods.ts';
import { sendProblem } from './send-problem.ts';
import { understoodError } from './understood-error.ts';

/** Every error of the REST API leaves through here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;
  readonly #allowedMethods: AllowedMethods;

  constructor(@Inject(loggerToken) logger: Logger, allowedMethods: AllowedMethods) {
    this.#logger = logger;
    this.#allowedMethods = allowedMethods;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = this.#refined(understoodError(thrown), request, reply);
    this.#logger[error.level]({ err: error, requestId: request.id, code: error.code }, 'request failed');
    if (error.status === 401) void reply.header('WWW-Authenticate', 'Bearer realm="gatehouse"');
    if (error.status === 503) void reply.header('Retry-After', '5');
    sendProblem(reply, error, request.id);
  }

  /** An unknown route may be a known one with another method. */
  #refined(error: GatewayError, request: FastifyRequest, reply: FastifyReply): GatewayError {
    if (error.code !== 'not_found' || request.routeOptions.url !== undefined) return error;
    const methods = this.#allowedMethods.of(request.url);
    if (methods.length === 0) return error;
    void reply.header('Allow', methods.join(', '));
    return new GatewayError('method_not_allowed');
  }
}
