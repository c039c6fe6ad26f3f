import { isModernRevision } from './revisions.ts';
import type { RpcId } from './rpc-error.ts';

/** The little of a message that a gateway needs to know. The message itself travels on as the bytes it came in. */
export interface MessageSummary {
  readonly era: 'legacy' | 'modern';
  /** Absent for responses, and for batches (MCP 2025-03-26). */
  readonly method: string | undefined;
  /** What a request is about: the tool's or prompt's name, the resource's URI. */
  readonly name: string | undefined;
  readonly id: RpcId;
  /** `_meta` of the parameters, as it is there: which trace the message is part of (MCP, SEP-414). */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** What the request's headers say of the message. */
export interface MessageHeaders {
  readonly protocolVersion: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

export type ReadMessage =
  | { readonly message: MessageSummary }
  | { readonly problem: 'not_json' | 'not_a_message' | 'header_mismatch'; readonly id: RpcId; readonly detail: string };

type Json = Record<string, unknown>;

const versionKey = 'io.modelcontextprotocol/protocolVersion';
/** Where each method that has `Mcp-Name` keeps the name (MCP 2026-07-28, transports). */
const nameFields: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' };

/**
 * Reads a POST body. A modern message whose headers contradict it is refused, as whoever reads the body must (MCP 2026-07-28).
 * @param headers absent for HTTP+SSE (MCP 2024-11-05): messages of that transport have none to compare
 */
export function readMessage(body: Buffer, headers: MessageHeaders | undefined): ReadMessage {
  const parsed = parse(body);
  if (parsed === undefined) return { problem: 'not_json', id: null, detail: 'The body is not JSON.' };
  if (Array.isArray(parsed)) {
    // Batches ended with 2025-06-18; under a modern revision one would carry messages that nobody compared with the headers.
    if (isModernRevision(headers?.protocolVersion)) return { problem: 'not_a_message', id: null, detail: 'A batch is no message of this revision.' };
    return { message: { era: 'legacy', method: undefined, name: undefined, id: null } };
  }
  if (!isJson(parsed)) return { problem: 'not_a_message', id: null, detail: 'The body is not a JSON-RPC message.' };

  const id = idOf(parsed);
  const method = text(parsed['method']);
  const params = isJson(parsed['params']) ? parsed['params'] : undefined;
  const nameField = method === undefined ? undefined : nameFields[method];
  const name = nameField === undefined ? undefined : text(params?.[nameField]);
  const meta = params?.['_meta'];
  const version = isJson(meta) ? text(meta[versionKey]) : undefined;
  const traceparent = isJson(meta) ? text(meta['traceparent']) : undefined;
  const tracestate = isJson(meta) ? text(meta['tracestate']) : undefined;

  if (headers === undefined) return { message: { era: isModernRevision(version) ? 'modern' : 'legacy', method, name, id, traceparent, tracestate } };
  if (version === undefined && !isModernRevision(headers.protocolVersion)) return { message: { era: 'legacy', method, name, id, traceparent, tracestate } };
  const mismatch = findMismatch({ version, method, name }, headers);
  return mismatch ? { problem: 'header_mismatch', id, detail: mismatch } : { message: { era: 'modern', method, name, id, traceparent, tracestate } };
}

function findMismatch(body: { version: string | undefined; method: string | undefined; name: string | undefined }, headers: MessageHeaders): string | undefined {
  if (body.method === undefined) return undefined;
  // A version missing in the message is for the upstream to name: only a contradiction is one.
  if (body.version !== undefined && headers.protocolVersion !== body.version) return `MCP-Protocol-Version does not match the message's ${versionKey}.`;
  if (headers.method !== body.method) return 'Mcp-Method does not match the message.';
  if (decodeHeader(headers.name) !== body.name) return 'Mcp-Name does not match the message.';
  return undefined;
}

/** `=?base64?…?=` is how a header carries what it cannot spell. */
function decodeHeader(value: string | undefined): string | undefined {
  const encoded = value === undefined ? undefined : /^=\?base64\?([A-Za-z0-9+/=]*)\?=$/.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
function idOf({ id }: Json): RpcId {
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
