import { STATUS_CODES } from 'node:http';
import { TextDecoder } from 'node:util';
import type { ApiOperation } from '../api-operation.ts';
import { inexactNumber } from '../inexact-number.ts';
import { isObject, type JsonObject, own } from '../json-value.ts';

/** An answer of the API, read as far as the data plane reads. */
export interface ApiAnswer {
  readonly status: number;
  /** `Content-Type` as it came. */
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** There was more than was read. */
  readonly truncated?: boolean | undefined;
}

export type ToolContent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | { readonly type: 'resource'; readonly resource: { readonly uri: string; readonly mimeType: string; readonly blob: string } };

/** CallToolResult of MCP. */
export interface ToolResult {
  readonly content: readonly ToolContent[];
  readonly structuredContent?: JsonObject;
  readonly isError?: true;
}

export interface ResultLimits {
  /** Of an answer given back as text; more is cut, and said to be. */
  readonly maxTextBytes: number;
  /** Of an image, a sound or a file, which cannot be cut. */
  readonly maxBinaryBytes: number;
  /** Of the body of an error. */
  readonly maxErrorBytes: number;
}

export const presetLimits: ResultLimits = { maxTextBytes: 1024 * 1024, maxBinaryBytes: 5 * 1024 * 1024, maxErrorBytes: 16 * 1024 };

/** What a tool gives back for an answer of its API: never an exception, whatever the answer is. */
export function resultOf(operation: Pick<ApiOperation, 'name' | 'outputSchema' | 'graphql'>, answer: ApiAnswer, limits: ResultLimits = presetLimits): ToolResult {
  const mediaType = ((answer.contentType ?? '').split(';', 1)[0] as string).trim().toLowerCase();
  if (answer.status < 200 || answer.status > 299) return failure(answer, mediaType, limits);
  const result = operation.graphql === undefined ? success(operation.name, answer, mediaType, limits, operation.outputSchema !== undefined) : graphqlResult(operation.name, answer, mediaType, limits);
  // A tool that says what its answers look like owes one to each client, also where the API answered nothing.
  if (operation.outputSchema === undefined || result.isError === true || result.structuredContent !== undefined) return result;
  return { ...result, structuredContent: {} };
}

function success(name: string, answer: ApiAnswer, mediaType: string, limits: ResultLimits, owesStructure = false): ToolResult {
  if (answer.body.length === 0) return { content: [text(`HTTP ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trim())] };
  if (!isTextual(mediaType, answer.body)) return { content: [binary(name, answer, mediaType, limits)] };
  const whole = textOf(answer, limits.maxTextBytes);
  const value = answer.truncated === true || !isJson(mediaType, whole) ? undefined : parsed(whole);
  // Structured, it would say other numbers than the API did; the text says those.
  return { content: [text(whole)], ...(isObject(value) && (owesStructure || inexactNumber(whole) === undefined) ? { structuredContent: value } : {}) };
}

function failure(answer: ApiAnswer, mediaType: string, limits: ResultLimits): ToolResult {
  const head = `HTTP ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`.trim();
  const body = answer.body.length > 0 && isTextual(mediaType, answer.body) ? `\n${textOf(answer, limits.maxErrorBytes)}` : '';
  return { content: [text(head + body)], isError: true };
}

/** GraphQL over HTTP: errors come with a status of success as well; what came in spite of them is there beside them. */
function graphqlResult(name: string, answer: ApiAnswer, mediaType: string, limits: ResultLimits): ToolResult {
  const value = answer.truncated === true || answer.body.length > limits.maxTextBytes ? undefined : parsed(textOf(answer, limits.maxTextBytes));
  const isAnswer = isObject(value) && (own(value, 'data') !== undefined || (Array.isArray(own(value, 'errors')) && (own(value, 'errors') as unknown[]).length > 0));
  if (!isAnswer) {
    const { content } = success(name, answer, mediaType, limits);
    return { content: [text('The API did not answer as a GraphQL API does.'), ...content], isError: true };
  }
  const data = own(value, 'data');
  const errors = own(value, 'errors');
  const hasData = isObject(data) && Object.values(data).some((member) => member !== null);
  if (Array.isArray(errors) && errors.length > 0 && !hasData) return { content: [text(JSON.stringify({ errors: errors as unknown }).slice(0, limits.maxErrorBytes))], isError: true };
  const shown = Array.isArray(errors) && errors.length > 0 ? { data, errors: errors as unknown } : data;
  return { content: [text(JSON.stringify(shown))], ...(isObject(data) ? { structuredContent: data } : {}) };
}

const text = (value: string): ToolContent => ({ type: 'text', text: value });

function binary(name: string, { body, truncated }: ApiAnswer, mediaType: string, { maxBinaryBytes }: ResultLimits): ToolContent {
  const mimeType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(mediaType) ? mediaType : 'application/octet-stream';
  if (truncated === true || body.length > maxBinaryBytes) return text(`The answer is ${mimeType} of more than ${Math.min(body.length, maxBinaryBytes)} bytes: too large to be given back.`);
  const data = body.toString('base64');
  if (mimeType.startsWith('image/')) return { type: 'image', data, mimeType };
  if (mimeType.startsWith('audio/')) return { type: 'audio', data, mimeType };
  return { type: 'resource', resource: { uri: `gatehouse:///${encodeURIComponent(name)}`, mimeType, blob: data } };
}

const textual = /^(text\/.+|[^;]+\/([^;]+\+)?(json|xml|yaml)|application\/(x-)?(ndjson|jsonl|json-seq|javascript|yaml|www-form-urlencoded|graphql|toml|sql)|image\/svg\+xml)$/;

/** By its type; of an answer without one, or with the one that says nothing, by whether it is UTF-8 without control characters. */
function isTextual(mediaType: string, body: Buffer): boolean {
  if (mediaType !== '' && mediaType !== 'application/octet-stream') return textual.test(mediaType);
  try {
    // eslint-disable-next-line no-control-regex -- control characters are what tells bytes from text
    return !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return false;
  }
}

/** JSON by its type, or text of no better one that looks like it: not every API names what it answers. */
const isJson = (mediaType: string, whole: string): boolean => /[/+]json$/.test(mediaType) || (/^(text\/(plain|html)|application\/octet-stream|)$/.test(mediaType) && /^\s*\{/.test(whole));

function parsed(whole: string): unknown {
  try {
    return JSON.parse(whole) as unknown;
  } catch {
    return undefined;
  }
}

function textOf({ body, contentType, truncated }: ApiAnswer, maxBytes: number): string {
  const isCut = truncated === true || body.length > maxBytes;
  const decoded = decoderOf(contentType).decode(body.subarray(0, maxBytes), { stream: isCut });
  return isCut ? `${decoded}\n… (cut: the answer is longer)` : decoded;
}

function decoderOf(contentType: string | undefined): TextDecoder {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1];
  try {
    return new TextDecoder(charset ?? 'utf-8');
  } catch {
    return new TextDecoder();
  }
}
