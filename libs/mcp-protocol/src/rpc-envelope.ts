import type { RpcId } from './rpc-error.ts';

/** Which message it is: what has to be known to bring an answer to whoever asked. */
export type RpcEnvelope =
  /** With a `progressToken` it asks to be told how it gets on. */
  | { readonly kind: 'request'; readonly method: string; readonly id: string | number; readonly progressToken: RpcId }
  /** `cancels` is the id of the request that a `notifications/cancelled` is about, `progressToken` names the one that a `notifications/progress` is about. */
  | { readonly kind: 'notification'; readonly method: string; readonly cancels: RpcId; readonly progressToken: RpcId }
  /** `protocolVersion` is there in the answer to `initialize`. */
  | { readonly kind: 'response'; readonly id: RpcId; readonly isError: boolean; readonly protocolVersion: string | undefined };

type Json = Record<string, unknown>;

/** The envelopes of a message, several for a batch (MCP 2025-03-26); `undefined` for what is not JSON-RPC. */
export function readEnvelopes(text: string): readonly RpcEnvelope[] | undefined {
  const parsed = parse(text);
  const envelopes = (Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]).map(envelopeOf);
  const known = envelopes.filter((envelope) => envelope !== undefined);
  return known.length > 0 && known.length === envelopes.length ? known : undefined;
}

/** The ids of the requests among them: what an answer is owed to. */
export const requestIds = (envelopes: readonly RpcEnvelope[]): (string | number)[] =>
  envelopes.flatMap((envelope) => (envelope.kind === 'request' ? [envelope.id] : []));

/** An error response as the answer to another id: servers that refuse a message before they read it leave the id out. */
export function withResponseId(text: string, id: RpcId): string {
  return JSON.stringify({ ...(parse(text) as Json), id });
}

function envelopeOf(message: unknown): RpcEnvelope | undefined {
  if (!isJson(message)) return undefined;
  const { method, params, result, error } = message;
  const id = idOf(message['id']);
  if (typeof method === 'string') {
    const about = isJson(params) ? params : {};
    if (id !== null) return { kind: 'request', method, id, progressToken: isJson(about['_meta']) ? idOf(about['_meta']['progressToken']) : null };
    const cancels = method === 'notifications/cancelled' ? idOf(about['requestId']) : null;
    const progressToken = method === 'notifications/progress' ? idOf(about['progressToken']) : null;
    return { kind: 'notification', method, cancels, progressToken };
  }
  if (result === undefined && error === undefined) return undefined;
  const protocolVersion = isJson(result) && typeof result['protocolVersion'] === 'string' ? result['protocolVersion'] : undefined;
  return { kind: 'response', id, isError: error !== undefined, protocolVersion };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const idOf = (id: unknown): RpcId => (typeof id === 'string' || typeof id === 'number' ? id : null);
