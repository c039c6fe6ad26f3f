import type { GatewayError } from '@gatehouse/errors';
import type { FastifyReply } from 'fastify';
import { problemDocumentOf } from './problem-document.ts';

export function sendProblem(reply: FastifyReply, error: GatewayError, requestId: string): void {
  // As bytes: of anything else Fastify changes the content type.
  const body = Buffer.from(JSON.stringify(problemDocumentOf(error, requestId)));
  void reply.status(error.status).header('Content-Type', 'application/problem+json').send(body);
}
