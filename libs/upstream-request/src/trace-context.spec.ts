import { noGlobalPolicy } from '@gatehouse/gateway-config';
import { describe, expect, it } from 'vitest';
import { CallerHeaders } from './caller-headers.ts';
import { compileHeaderRules } from './server-header-rules.ts';
import { addTraceContext } from './trace-context.ts';

const good = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1,b@c=x y', baggage: 'user=1;p=2;q, tenant=%20x' };

function leaving(headers: Partial<CallerHeaders>, restricted: string[] = [], enabled = true): string[] {
  const source = {
    headerPolicy: { mode: 'none' as const, restricted },
    agentAuth: { forwardsAuthorization: true, restrictedHeaders: [] },
    appAuth: { type: 'none', headerNames: [], storesCredential: false },
    outboundHeaders: [],
  };
  const outgoing: string[] = [];
  addTraceContext(outgoing, Object.assign(new CallerHeaders(), headers), compileHeaderRules(source, { ...noGlobalPolicy, enabled }));
  return outgoing.filter((_, index) => index % 2 === 0);
}

it('goes on unchanged', () => expect(leaving(good)).toEqual(['traceparent', 'tracestate', 'baggage']));

describe('what does not fit stays', () => {
  it.each<[string, Partial<CallerHeaders>, string[]]>([
    ['a trace id of zeros', { ...good, traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }, ['baggage']],
    ['a parent id of zeros', { ...good, traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01` }, ['baggage']],
    ['version ff', { ...good, traceparent: good.traceparent.replace('00-', 'ff-') }, ['baggage']],
    ['a state that is none', { ...good, tracestate: 'garbage !!' }, ['traceparent', 'baggage']],
    ['a state without a parent', { tracestate: 'a=1' }, []],
    ['33 states', { ...good, tracestate: Array.from({ length: 33 }, (_, index) => `k${index}=1`).join() }, ['traceparent', 'baggage']],
    ['baggage that is none', { ...good, baggage: 'Bearer my-token-not-a-baggage-at-all ;;;,,=' }, ['traceparent', 'tracestate']],
    ['baggage without end', { ...good, baggage: `a=${'x'.repeat(8_192)}` }, ['traceparent', 'tracestate']],
  ])('%s', (_name, headers, expected) => expect(leaving(headers)).toEqual(expected));
});

it('what is restricted stays, and baggage goes only where pass-through is on', () => {
  expect(leaving(good, ['bagg*'])).toEqual(['traceparent', 'tracestate']);
  expect(leaving(good, ['trace*'])).toEqual(['baggage']);
  expect(leaving(good, [], false)).toEqual(['traceparent', 'tracestate']);
});
