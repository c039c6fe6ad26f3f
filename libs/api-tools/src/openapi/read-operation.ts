import { pointerOf } from '@gatehouse/errors';
import type { ApiBody, ApiOperation, ToolAnnotations } from '../api-operation.ts';
import { isObject, type JsonObject, own, textOf } from '../json-value.ts';
import { completeSchema } from '../schema/complete-schema.ts';
import type { Definitions } from '../schema/definitions.ts';
import { type ArgumentPlace, nameArguments } from './name-arguments.ts';
import { templateNames } from './path-template.ts';
import { readAnswer } from './read-answer.ts';
import { fileSchema, readBody, type ReadBody } from './read-body.ts';
import { type ParameterScope, readParameters } from './read-parameters.ts';
import type { Located } from './references.ts';
import { Unusable } from './unusable.ts';

export interface OperationScope extends ParameterScope {
  readonly inputs: Definitions;
  readonly outputs: Definitions;
}

/** One operation as it stands in a document. */
export interface FoundOperation {
  readonly name: string;
  readonly method: ApiOperation['method'];
  readonly path: string;
  readonly pathItem: Located & { readonly value: JsonObject };
  readonly operation: JsonObject;
  readonly pointer: string;
}

const maxInputSize = 128 * 1024;
const maxOutputSize = 32 * 1024;
const maxSchemaSize = 512 * 1024;
const maxDescription = 4_000;

/** A tool made of an operation. @throws Unusable */
export function readOperation(found: FoundOperation, scope: OperationScope): ApiOperation {
  const { name, method, path, operation } = found;
  const { parameters, body, inputSchema } = readInput(found, scope);
  const answer = answerOf(found, scope);
  const title = textOf(own(operation, 'summary'))?.slice(0, 200);
  const description = describe(operation, `${method} ${path}`);
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    method,
    path,
    parameters,
    ...(body === undefined ? {} : { body }),
    accept: answer.accept,
    inputSchema,
    ...(answer.outputSchema === undefined ? {} : { outputSchema: answer.outputSchema }),
    annotations: annotationsOf[method],
  };
}

/** RFC 9110 section 9.2. What is not said is what MCP takes for granted: that it may destroy. */
const annotationsOf: Readonly<Record<ApiOperation['method'], ToolAnnotations>> = {
  GET: { readOnlyHint: true, openWorldHint: true },
  POST: { readOnlyHint: false, openWorldHint: true },
  PATCH: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  PUT: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  DELETE: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
};

function describe(operation: JsonObject, fallback: string): string {
  const text = textOf(own(operation, 'description')) ?? textOf(own(operation, 'summary')) ?? fallback;
  const cut = text.length > maxDescription ? `${text.slice(0, maxDescription)}…` : text;
  return own(operation, 'deprecated') === true ? `Deprecated. ${cut}` : cut;
}

interface Slot {
  readonly name: string;
  readonly place: ArgumentPlace;
  readonly required: boolean;
  readonly schema: unknown;
}

function readInput({ method, path, pathItem, operation, pointer }: FoundOperation, scope: OperationScope): Pick<ApiOperation, 'parameters' | 'body'> & { inputSchema: JsonObject } {
  const read = readParameters(
    [
      { value: own(pathItem.value, 'parameters'), pointer: `${pathItem.pointer}/parameters` },
      { value: own(operation, 'parameters'), pointer: `${pointer}/parameters` },
    ],
    scope,
  );
  const names = new Set(templateNames(path, pointer));
  const parameters = read.filter(({ parameter }) => parameter.in !== 'path' || names.has(parameter.name));
  const declared = new Set(parameters.flatMap(({ parameter }) => (parameter.in === 'path' ? parameter.name : [])));
  for (const name of names) {
    if (declared.has(name)) continue;
    scope.warn({ pointer, code: 'undeclared_parameter', detail: `{${name}} is in the path and not among the parameters: it is taken for text` });
    parameters.push({ parameter: { name, in: 'path', required: true, style: 'simple', explode: false }, schema: { value: { type: 'string' }, pointer }, description: undefined });
  }
  const given = readBody(scope.references.follow({ value: own(operation, 'requestBody'), pointer: `${pointer}/requestBody` }), scope.references);
  // Of the body of a GET nobody knows what it means (RFC 9110 section 9.3.1), least of all one that need not be there.
  const body = method === 'GET' && given?.required === false && given.fields === undefined ? undefined : given;

  const slots: Slot[] = [
    ...parameters.map(({ parameter, schema, description }) => ({ name: parameter.name, place: parameter.in, required: parameter.required, schema: described(scope.inputs.convert(schema).schema, description) })),
    ...slotsOf(body, scope),
  ];
  const argumentNames = nameArguments(slots);
  const ofBody = argumentNames.slice(parameters.length);
  return {
    parameters: parameters.map(({ parameter }, index) => ({ argument: argumentNames[index] as string, ...parameter })),
    ...(body === undefined ? {} : { body: namedBody(body, ofBody) }),
    inputSchema: inputSchemaOf(slots, argumentNames, pointer, scope),
  };
}

function inputSchemaOf(slots: readonly Slot[], names: readonly string[], pointer: string, { inputs, warn }: OperationScope): JsonObject {
  const required = names.filter((_, index) => slots[index]?.required === true);
  const { schema, cut } = completeSchema(
    {
      type: 'object',
      properties: Object.fromEntries(names.map((name, index) => [name, slots[index] === undefined ? true : withOwnName(slots[index], name)])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
    inputs,
    maxInputSize,
  );
  if (JSON.stringify(schema).length > maxSchemaSize) throw new Unusable('schema_too_large', pointer, `has arguments whose schema is larger than ${maxSchemaSize} characters`);
  if (cut) warn({ pointer, code: 'schema_cut', detail: 'what lies deep in its arguments is not described: the schema would be too large' });
  return schema;
}

/** What an API calls something is part of what is known of it: `DateSent>` becomes an argument of another name. */
function withOwnName({ name, schema }: Slot, argument: string): unknown {
  if (argument.startsWith(name) || !isObject(schema)) return schema;
  return { ...schema, description: `${textOf(own(schema, 'description')) ?? ''} (${name.slice(0, 200)})`.trim() };
}

function slotsOf(body: ReadBody | undefined, { inputs }: OperationScope): Slot[] {
  if (body === undefined) return [];
  if (body.fields !== undefined) {
    return body.fields.map(({ name, required, schema, file }) => ({
      name,
      place: 'body',
      // Of a body that need not be there nothing is required.
      required: required && body.required,
      schema: file && body.kind === 'multipart' ? fileOrFiles(schema.value) : inputs.convert(schema).schema,
    }));
  }
  const whole = (): unknown => {
    if (body.kind === 'binary') return fileSchema(undefined);
    if (body.kind === 'text') return { type: 'string', description: `The body of the request, as ${body.mediaType}.` };
    const { schema } = inputs.convert(body.schema);
    return body.kind === 'json' ? schema : described(schema, undefined, { type: 'object' });
  };
  return [{ name: 'body', place: 'body', required: body.required, schema: whole() }];
}

function fileOrFiles(schema: unknown): JsonObject {
  const description = isObject(schema) ? textOf(own(schema, 'description'))?.slice(0, 2_000) : undefined;
  const isList = isObject(schema) && own(schema, 'type') === 'array';
  return isList ? { type: 'array', ...(description === undefined ? {} : { description }), items: fileSchema(undefined) } : fileSchema(description);
}

/** What a parameter says of itself comes before what its type says of all its uses. */
function described(schema: JsonObject | boolean, description: string | undefined, otherwise: JsonObject = {}): JsonObject | boolean {
  if (schema === false) return false;
  const base = schema === true || Object.keys(schema).length === 0 ? otherwise : schema;
  return description === undefined ? base : { ...base, description: description.slice(0, 2_000) };
}

function namedBody({ mediaType, kind, required, fields }: ReadBody, names: readonly string[]): ApiBody {
  if (fields === undefined) return { mediaType, kind, required, argument: names[0] };
  return {
    mediaType,
    kind,
    required,
    fields: fields.map(({ name, encoding, file }, index) => ({
      argument: names[index] as string,
      name,
      ...(encoding === undefined ? {} : { encoding }),
      ...(file && kind === 'multipart' ? { file: true as const } : {}),
    })),
  };
}

/** An answer that cannot be described is no reason to leave its operation out. */
function answerOf({ operation, pointer }: FoundOperation, { references, outputs, warn }: OperationScope): { accept: string; outputSchema?: JsonObject } {
  try {
    const { accept, schema } = readAnswer({ value: own(operation, 'responses'), pointer: `${pointer}/responses` }, references);
    if (schema === undefined) return { accept };
    const converted = outputs.convert(schema).schema;
    const complete = completeSchema(isObject(converted) ? { type: 'object', allOf: [converted] } : { type: 'object' }, outputs, maxOutputSize).schema;
    const outputSchema = flattened(complete);
    return JSON.stringify(outputSchema).length > 2 * maxOutputSize ? { accept } : { accept, outputSchema };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    warn({ pointer: error.pointer, code: 'answer_not_described', detail: `what it answers is not described: ${error.message}` });
    return { accept: '*/*' };
  }
}

/** A single part that has stood in its place already needs no `allOf` around it. */
function flattened(schema: JsonObject): JsonObject {
  const { allOf, ...rest } = schema;
  const part: unknown = Array.isArray(allOf) ? allOf[0] : undefined;
  if (!isObject(part) || '$ref' in part) return schema;
  return { ...part, ...rest, type: 'object' };
}

export const operationPointer = (path: string, method: string): string => pointerOf(['paths', path, method.toLowerCase()]);
