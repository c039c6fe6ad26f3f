import type { RpcId } from './rpc-error.ts';

/** What a legacy client says of itself in `initialize`. */
export interface LegacyClient {
  readonly protocolVersion: string;
  readonly capabilities: Json;
  readonly clientInfo: Json;
}

type Json = Readonly<Record<string, unknown>>;

const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
/** It travels in a header with every request of the session. */
const maxLength = 4_096;

/** Of an `initialize`; what is longer than a session id could carry is left out, capabilities last. */
export function readLegacyClient(body: Buffer): LegacyClient {
  const params = paramsOf(body);
  const { protocolVersion, capabilities, clientInfo } = params;
  const version = typeof protocolVersion === 'string' && protocolVersion.length <= 32 ? protocolVersion : '';
  const { name = '', version: release = '' } = isJson(clientInfo) ? clientInfo : {};
  const info = { name: String(name).slice(0, 128), version: String(release).slice(0, 64) };
  const known = isJson(capabilities) && JSON.stringify(capabilities).length <= maxLength ? capabilities : {};
  return { protocolVersion: version, capabilities: known, clientInfo: info };
}

/** Whether the client opens URLs for its person, by what it says with `initialize` (MCP 2025-11-25, client/elicitation). */
export function elicitsUrls({ elicitation }: Json): boolean {
  return isJson(elicitation) && isJson(elicitation['url']);
}

/** The same of a modern message, each of which says it anew (MCP 2026-07-28). */
export function messageElicitsUrls(body: Buffer): boolean {
  const meta = paramsOf(body)['_meta'];
  const capabilities = isJson(meta) ? meta[capabilitiesKey] : undefined;
  return isJson(capabilities) && elicitsUrls(capabilities);
}

function paramsOf(body: Buffer): Json {
  try {
    const message: unknown = JSON.parse(body.toString('utf8'));
    return isJson(message) && isJson(message['params']) ? message['params'] : {};
  } catch {
    return {};
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON-RPC 2.0 result. */
export const rpcResult = (id: RpcId, result: object): string => JSON.stringify({ jsonrpc: '2.0', id, result });
