import { describe, expect, it } from 'vitest';
import { builtInRule, isReservedHeader } from './built-in-rules.ts';
import { canonicalName } from './canonical-name.ts';

it.each(['Host', 'connection', 'Content-Length', 'transfer_encoding', 'Transfer.Encoding', 'Proxy-Authorization', 'X-Gatehouse-Key', 'x_gatehouse_user', 'Mcp-Session-Id', 'Mcp-Param-Region', 'Accept', 'Content-Type', 'Accept-Encoding'])(
  '%s cannot carry a credential',
  (name) => expect(isReservedHeader(name)).toBe(true),
);

it.each(['Authorization', 'X-API-Key', 'Cookie', 'X-Proxy', 'Ocp-Apim-Subscription-Key', 'User-Agent', 'X-Forwarded-User'])('%s can', (name) => expect(isReservedHeader(name)).toBe(false));

describe('a caller’s header that never leaves', () => {
  it.each([
    ['Cookie', 'blocked'], ['SET_COOKIE', 'blocked'], ['Cookie2', 'blocked'],
    ['Keep.Alive', 'hop_by_hop'], ['Close', 'hop_by_hop'], ['TE', 'hop_by_hop'], ['Expect', 'hop_by_hop'], ['proxy_connection', 'hop_by_hop'],
    ['X-Forwarded-For', 'reserved'], ['X_Forwarded_Proto', 'reserved'], ['Forwarded', 'reserved'], ['X.Real.IP', 'reserved'], ['Via', 'reserved'],
    ['Traceparent', 'reserved'], ['baggage', 'reserved'], ['Origin', 'reserved'], ['Referer', 'reserved'], ['Sec-Fetch-Site', 'reserved'],
    ['Access-Control-Request-Method', 'reserved'], ['Mcp-Anything', 'reserved'], ['Last-Event-ID', 'reserved'], ['X-Gatehouse-User', 'reserved'],
  ])('%s: %s', (name, reason) => expect(builtInRule(canonicalName(name))?.reason).toBe(reason));

  it.each(['Authorization', 'X-Tenant', 'X-Request-Id', 'User-Agent', 'Accept-Language', 'Cookies', 'Viable', 'X-Forwarded'])('%s may', (name) =>
    expect(builtInRule(canonicalName(name))).toBeUndefined(),
  );
});
