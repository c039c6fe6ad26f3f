import { createHash } from 'node:crypto';

/** What the demo upstream tells of the request that reached it. The key itself is never told. */
export interface RequestDescription {
  readonly storedKey: { readonly header: string; readonly lastCharacters: string; readonly fingerprint: string };
  /** What HTTP, MCP and the gateway's own client need, with values. */
  readonly protocolHeaders: Readonly<Record<string, string>>;
  /** Everything else can only have come from the caller. */
  readonly callerHeaders: readonly string[];
}

export const keyHeader = 'X-Api-Key';

const protocolHeaders = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'connection', 'content-length', 'content-type', 'host', 'keep-alive', 'transfer-encoding', 'user-agent'],
  ...['last-event-id', 'traceparent', 'tracestate'],
]);
const isProtocolHeader = (name: string): boolean => protocolHeaders.has(name) || name.startsWith('mcp-');

export function describeRequest(headers: Headers): RequestDescription {
  const key = headers.get(keyHeader) ?? '';
  const others = [...headers].filter(([name]) => name !== keyHeader.toLowerCase());
  return {
    storedKey: { header: keyHeader, lastCharacters: key.slice(-4), fingerprint: `sha256:${createHash('sha256').update(key).digest('hex').slice(0, 12)}` },
    protocolHeaders: Object.fromEntries(others.filter(([name]) => isProtocolHeader(name))),
    callerHeaders: others.map(([name]) => name).filter((name) => !isProtocolHeader(name)),
  };
}

export function requestAsText({ storedKey, protocolHeaders: protocol, callerHeaders }: RequestDescription): string {
  const rows: [string, string][] = [[storedKey.header, `…${storedKey.lastCharacters}  (${storedKey.fingerprint})`], ...Object.entries(protocol)];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    'The gateway added its stored key, which the caller never sees:',
    ...rows.slice(0, 1).map((row) => line(row, width)),
    '',
    callerHeaders.length === 0
      ? 'Of the caller’s own headers none arrived. What else did:'
      : `Of the caller’s own headers these arrived: ${callerHeaders.join(', ')}. What else did:`,
    ...rows.slice(1).map((row) => line(row, width)),
  ].join('\n');
}

const line = ([name, value]: [string, string], width: number): string => `  ${name.padEnd(width)}  ${value}`;
