import { GatewayError, type Problem, pointerOf } from '@gatehouse/errors';
import { z } from 'zod';
import { type ApiOperation, parameterStyle } from './api-operation.ts';
import { importOpenApi } from './openapi/import-openapi.ts';

const schema = z.record(z.string(), z.unknown()).meta({ title: 'Schema', description: 'JSON Schema; text when absent.' });

const parameter = z.strictObject({
  name: z.string().min(1).max(256),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
  description: z.string().max(2_000).optional(),
  schema: schema.optional(),
  style: parameterStyle.optional(),
  explode: z.boolean().optional(),
});

/** An operation as someone writes it down: OpenAPI’s words, without what they need around them. */
export const writtenOperation = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be letters, digits, _, . and -, at most 128'),
    title: z.string().max(200).optional(),
    description: z.string().max(4_000).optional(),
    method: z.enum(['GET', 'PUT', 'POST', 'DELETE', 'PATCH']),
    path: z.string().min(1).max(4_000),
    parameters: z.array(parameter).max(500).optional(),
    body: z.strictObject({ mediaType: z.string().max(200).optional(), required: z.boolean().optional(), schema: schema.optional() }).optional(),
    /** Of an answer that is an object. */
    output: schema.optional(),
  })
  .meta({ id: 'WrittenOperation', title: 'Operation' });

export type WrittenOperation = z.output<typeof writtenOperation>;

/**
 * The tools of operations that were written by hand, by the same rules as those of a document.
 * @throws GatewayError validation_failed, with the pointer of each that is none: `/0/path`
 */
export function readWrittenOperations(written: readonly WrittenOperation[]): ApiOperation[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const operations = written.flatMap((operation, index) => {
    if (names.has(operation.name)) problems.push({ pointer: pointerOf([index, 'name']), detail: 'is the name of another operation already' });
    names.add(operation.name);
    const { operations: [read], leftOut, warnings } = importOpenApi(documentOf(operation));
    for (const { detail } of [...leftOut, ...warnings]) problems.push({ pointer: pointerOf([index]), detail });
    return read === undefined ? [] : [{ ...read, name: operation.name }];
  });
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
  return operations;
}

function documentOf({ name, title, description, method, path, parameters = [], body, output }: WrittenOperation): object {
  const operation = {
    operationId: name,
    summary: title,
    description,
    parameters: parameters.map((written) => ({ ...written, schema: written.schema ?? { type: 'string' } })),
    ...(body === undefined ? {} : { requestBody: { required: body.required ?? true, content: { [body.mediaType ?? 'application/json']: { schema: body.schema ?? {} } } } }),
    responses: output === undefined ? {} : { '200': { content: { 'application/json': { schema: { type: 'object', ...output } } } } },
  };
  return { openapi: '3.1.0', info: {}, paths: { [path]: { [method.toLowerCase()]: operation } } };
}
