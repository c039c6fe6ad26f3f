import { canonicalName } from './canonical-name.ts';

/** Connection and framing headers (RFC 9110 section 7.6.1, RFC 9112): they describe one connection and never cross. */
const hopByHop = new Set([
  'connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
]);

/** Written by the protocol layer itself, which also has to read what comes back. */
const mcpProtocol = new Set(['accept', 'accept-encoding', 'content-encoding', 'content-type', 'last-event-id', 'mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id']);

const reservedPrefixes = ['proxy-', 'x-gatehouse-', 'mcp-param-'];

/** Whether a name describes the connection or its framing. `name` in canonical form. */
export const isHopByHop = (name: string): boolean => hopByHop.has(name) || name.startsWith('proxy-');

/** Whether a credential may not be put into a header of this name: framing, the protocol's own, the gateway's own. */
export function isReservedHeader(name: string): boolean {
  const canonical = canonicalName(name);
  return hopByHop.has(canonical) || mcpProtocol.has(canonical) || reservedPrefixes.some((prefix) => canonical.startsWith(prefix));
}
