import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { problemDocument } from '../http/problem-document.ts';

type Operation = NonNullable<NonNullable<OpenAPIObject['paths'][string]>['post']>;

const reasons = {
  400: 'The request is not valid.',
  401: 'No credential came with the request, or one that is not valid.',
  403: 'The role is not enough, or a browser sent it for another site.',
  404: 'There is no such thing in this workspace.',
  409: 'The name is taken, the thing is in use, or another change came first.',
  412: 'It changed since it was read: the ETag does not match.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'The document has problems; nothing was changed.',
  428: 'If-Match is missing.',
  503: 'The database cannot be reached at the moment. Nothing was changed, unless the code is commit_unknown: then read again.',
} as const;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const header = (name: string, description: string, required: boolean) => ({ name, in: 'header' as const, required, description, schema: { type: 'string' as const } });

/** What holds for every operation of a kind is said here once, and not by decorators on each. */
export function describeProblems(document: OpenAPIObject): OpenAPIObject {
  const schemas = ((document.components ??= {}).schemas ??= {});
  const { $schema: _schema, ...problem } = z.toJSONSchema(problemDocument);
  schemas['Problem'] = problem as (typeof schemas)[string];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation) describeOperation(operation, method, path);
    }
  }
  return document;
}

function describeOperation(operation: Operation, method: (typeof methods)[number], path: string): void {
  // What a person enters of their own is never read, so that it has no ETag.
  const isOwn = path.startsWith('/v1/me/');
  const conditional = !isOwn && (method === 'put' || method === 'patch' || (method === 'delete' && /\/(servers|apps|credentials|identity-providers)\/\{\w+\}$|\/header-policy$/.test(path)));
  const statuses: (keyof typeof reasons)[] = [401, 403, 503];
  if (path.includes('{')) statuses.push(404);
  if (operation.requestBody) statuses.push(400, 413, 415, 422);
  if (method === 'get') statuses.push(400);
  if (method !== 'get') statuses.push(409);
  if (conditional) statuses.push(412, 428);
  for (const status of statuses) operation.responses[status] ??= { description: reasons[status], content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };

  // Nest lists @Headers() arguments by itself, without saying what they are.
  const parameters = (operation.parameters ?? []).filter((parameter) => !('in' in parameter) || parameter.in !== 'header');
  if (conditional) parameters.push(header('If-Match', 'The ETag that was read, or *.', true));
  if (method === 'post') parameters.push(header('Idempotency-Key', 'Sent again with the same key, the request has the same answer and no other effect.', false));
  operation.parameters = parameters;
}
