import { noGlobalPolicy, type ServerHeaderPolicy } from '@gatehouse/gateway-config';
import { describe, expect, it } from 'vitest';
import { CallerHeaders } from './caller-headers.ts';
import { composeRequest } from './compose-request.ts';
import { directHeaders } from './direct-headers.ts';
import { ServerHeaderRules } from './server-header-rules.ts';

const server = (headerPolicy: ServerHeaderPolicy) => ({
  headerRules: new ServerHeaderRules({ headerPolicy, agentAuth: { forwardsAuthorization: true, restrictedHeaders: [] }, appAuth: { type: 'none', headerNames: [], storesCredential: false }, outboundHeaders: [] }),
});

/** What leaves of a direct call's headers, without the gateway's own. */
function leaving(rows: string[], headerPolicy: ServerHeaderPolicy = { mode: 'none' }, nominated?: ReadonlySet<string>): string[] {
  const headers = Object.assign(new CallerHeaders(), { nominated });
  const own = directHeaders(rows, nominated, server(headerPolicy).headerRules.under(noGlobalPolicy));
  const call = { method: 'PUT', era: 'modern', body: '', upstreamSession: undefined, ownHeaders: own } as const;
  const composed = composeRequest({ server: server(headerPolicy), headerPolicy: noGlobalPolicy, call, rows, headers, credentials: [], path: '/', userAgent: 'us' });
  return composed.headers.flatMap((name, index, all) => (index % 2 === 0 && name !== 'user-agent' ? [`${name}: ${all[index + 1]}`] : []));
}

it.each([
  ['Content-Type', 'text/csv'], ['content-encoding', 'gzip'], ['Content-Language', 'de'], ['Content-Range', 'bytes 0-1/2'], ['Content-Digest', 'sha-256=:x:'], ['Accept', 'text/csv;q=1'], ['accept-Encoding', 'br'],
  ['Accept-Language', 'de'], ['Range', 'bytes=0-1'], ['If-Match', '"a"'], ['If-None-Match', '*'], ['If-Modified-Since', 'Sat, 21 Nov 2026 00:00:00 GMT'], ['If-Unmodified-Since', 'x'], ['If-Range', '"a"'],
])('%s is HTTP’s own: it goes on as it is, whatever the policy', (name, value) => {
  for (const mode of ['none', 'all'] as const) expect(leaving([name, value], { mode })).toEqual([`${name}: ${value}`]);
  expect(leaving([name, value], { mode: 'all', overwriteBaseHeaders: true })).toEqual([`${name}: ${value}`]);
});

it.each(['Authorization', 'Cookie', 'X-Tenant', 'User-Agent', 'Cache-Control', 'Prefer', 'Idempotency-Key', 'TE', 'Trailer', 'Upgrade', 'Expect', 'Transfer-Encoding', 'Content-Length', 'Host', 'Forwarded', 'If_Match', 'Content_Type', 'Mcp-Session-Id', 'X-Gatehouse-Key', 'Origin', 'Referer'])(
  '%s is not', (name) => expect(leaving([name, 'value'])).toEqual([]));

describe('beside the policy', () => {
  it('what it passes leaves once, by its verdict', () => expect(leaving(['If-Match', '"a"', 'X-Tenant', 'acme', 'If-Match', '"b"'], { mode: 'all' })).toEqual(['If-Match: "a"', 'X-Tenant: acme', 'If-Match: "b"']));
  it('nothing else leaves under these names', () => expect(leaving(['If-Match', '"a"', 'X-Tenant', 'acme'], { mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'If-Match' }] })).toEqual(['If-Match: "a"']));
  it('what it renames leaves under both', () => expect(leaving(['Range', 'bytes=0-1'], { mode: 'mappings', mappings: [{ source: 'Range', target: 'X-Range' }] })).toEqual(['Range: bytes=0-1', 'X-Range: bytes=0-1']));
  it('what it restricts stays', () => expect(leaving(['Accept-Language', 'de', 'If-Match', '"a"'], { mode: 'none', restricted: ['accept-*'] })).toEqual(['If-Match: "a"']));
  it('what Connection names stays', () => expect(leaving(['If-Match', '"a"', 'Range', 'bytes=0-1'], { mode: 'none' }, new Set(['range']))).toEqual(['If-Match: "a"']));
});
