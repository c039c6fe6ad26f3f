import { z } from 'zod';

/** JSON Schema 2020-12, complete in itself: every `$ref` points into its own `$defs`. */
const jsonSchema = z.record(z.string(), z.unknown());

export const parameterStyle = z.enum(['simple', 'label', 'matrix', 'form', 'spaceDelimited', 'pipeDelimited', 'deepObject']);

const parameter = z.strictObject({
  /** The tool’s argument that the value comes from. */
  argument: z.string(),
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  style: parameterStyle,
  explode: z.boolean(),
  allowReserved: z.literal(true).optional(),
  /** The value is sent as JSON text (`content` in place of `schema`). */
  json: z.literal(true).optional(),
});

/** How one field of a form or of a multipart body is written; what is absent follows from the value (OpenAPI 3.1.1 section 4.8.15). */
const encoding = z.strictObject({
  contentType: z.string().optional(),
  style: parameterStyle.optional(),
  explode: z.boolean().optional(),
  allowReserved: z.literal(true).optional(),
});

const bodyField = z.strictObject({ argument: z.string(), name: z.string(), encoding: encoding.optional(), file: z.literal(true).optional() });

const body = z.strictObject({
  mediaType: z.string(),
  kind: z.enum(['json', 'form', 'multipart', 'text', 'binary']),
  required: z.boolean(),
  /** The argument that is the whole body; absent: `fields` are its members. */
  argument: z.string().optional(),
  fields: z.array(bodyField).optional(),
});

const graphql = z.strictObject({
  document: z.string(),
  operationName: z.string().optional(),
  variables: z.array(z.strictObject({ argument: z.string(), name: z.string() })),
});

const annotations = z.strictObject({
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  idempotentHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
});

/** One operation of an API as one tool. JSON through and through: it is stored, and it is what a snapshot holds. */
export const apiOperation = z.strictObject({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  method: z.enum(['GET', 'PUT', 'POST', 'DELETE', 'PATCH']),
  /** A template under the base URL, beginning with a slash; empty for the base URL itself. */
  path: z.string(),
  parameters: z.array(parameter),
  body: body.optional(),
  /** In place of `body`, for a GraphQL API. */
  graphql: graphql.optional(),
  /** What is asked for in `Accept`. */
  accept: z.string(),
  inputSchema: jsonSchema,
  /** What an answer looks like as far as its specification says, loose enough that a real answer is one. */
  outputSchema: jsonSchema.optional(),
  annotations,
});

export type ApiOperation = z.output<typeof apiOperation>;
export type ApiParameter = z.output<typeof parameter>;
export type ApiBody = z.output<typeof body>;
export type ApiBodyField = z.output<typeof bodyField>;
export type FieldEncoding = z.output<typeof encoding>;
export type ParameterStyle = z.output<typeof parameterStyle>;
export type ToolAnnotations = z.output<typeof annotations>;
