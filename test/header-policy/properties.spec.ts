import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { resolveGlobalPolicy } from '@gatehouse/gateway-config';
import { dropReasons, isSingletonHeader, type Verdict, verdictOutcome } from '@gatehouse/header-policy';
import { cleanHeaders, composeRequest, obtainCredentials, type PreparedServer, prepareServer } from '@gatehouse/upstream-request';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArbitraryCall, arbitraryCall, canonical, isNeverPassing, matchesPattern } from './arbitrary-calls.ts';
import type { Row } from './decision-table.ts';

/* What holds for every configuration and every request. A failure prints its seed and the smallest call that shows it. */

const runs = { numRuns: 1_500 };
const userAgent = 'gatehouse/spec';

interface Composed {
  readonly headers: readonly Row[];
  readonly verdicts: readonly Verdict[];
  readonly credentials: readonly Credential[];
}

function compose({ document, environment, method, rows, server }: ArbitraryCall, prepared: PreparedServer = prepareServer('s', 'w', server)): Composed | 'duplicate_header' {
  try {
    const flat = rows.flat();
    const headers = cleanHeaders(flat, { maxBytes: 1_000_000, maxCount: 1_000 });
    const credentials = obtainCredentials(prepared) as readonly Credential[];
    const composed = composeRequest({
      server: prepared, headerPolicy: resolveGlobalPolicy(document, environment), call: { method, era: 'legacy', body: method === 'POST' ? '{}' : undefined, upstreamSession: undefined },
      rows: flat, headers, credentials, path: '/mcp', userAgent,
    });
    return { headers: pairs(composed.headers), verdicts: composed.verdicts, credentials };
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'duplicate_header') return error.code;
    throw error;
  }
}

const pairs = (flat: readonly string[]): Row[] => flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []));

/** The numbered values of a call's rows, as they may leave. */
const numberOf = (value: string): number => Number(/^[ \t]*v(\d+)\./.exec(value)?.[1] ?? Number.NaN);

/** What the protocol layer repeats of the caller's words under a name of its own. */
const repeated = new Set(['accept', 'traceparent', 'baggage', 'last-event-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name']);

interface Passed {
  readonly name: string;
  readonly value: string;
  readonly from: Row;
}

/** What leaves of the caller's. */
const passedOf = ({ rows }: ArbitraryCall, { headers, verdicts }: Composed): Passed[] =>
  headers.flatMap(([name, value]) => {
    const from = rows[numberOf(value)];
    const isRepeated = repeated.has(name) && from?.[0].toLowerCase() === name && !verdicts.some(({ action, outgoingName }) => action !== 'dropped' && outgoingName === name);
    return from === undefined || isRepeated ? [] : [{ name, value, from }];
  });

const holds = (property: (call: ArbitraryCall, composed: Composed) => void): void =>
  fc.assert(
    fc.property(arbitraryCall, (call) => {
      const composed = compose(call);
      if (composed === 'duplicate_header') fc.pre(false);
      else property(call, composed);
    }),
    runs,
  );

const patternsOf = ({ server, document, environment }: ArbitraryCall): string[] => [
  ...(server.headerPolicy?.restricted ?? []),
  ...(server.agentAuth.type === 'passthrough' ? (server.agentAuth.restrictedHeaders ?? []) : []),
  ...((environment.source !== 'env' && document?.restricted) || []),
];
const nominatedBy = ({ rows }: ArbitraryCall): string[] => rows.flatMap(([name, value]) => (name === 'Connection' ? value.split(',').map((token) => canonical(token.trim())) : []));
const isEnabled = ({ document, environment }: ArbitraryCall): boolean => environment.enabled && (environment.source === 'env' || document?.enabled !== false);

describe('whatever is configured and sent', () => {
  it('nothing that is blocked, nominated or restricted leaves, under its own name or another', () =>
    holds((call, composed) => {
      const patterns = patternsOf(call);
      const nominated = nominatedBy(call);
      for (const { name, from } of passedOf(call, composed)) {
        for (const either of [name, from[0]]) {
          expect(isNeverPassing(either), either).toBe(false);
          expect(patterns.filter((pattern) => matchesPattern(pattern, either)), either).toEqual([]);
        }
        expect(nominated).not.toContain(canonical(from[0]));
      }
    }));

  it('what the gateway sets leaves once, with its value', () =>
    holds((_call, composed) => {
      for (const credential of composed.credentials) {
        if (credential.in !== 'header') continue;
        const same = composed.headers.filter(([name]) => canonical(name) === canonical(credential.name));
        expect(same).toEqual([[credential.name, credential.value.reveal()]]);
      }
      const own = composed.headers.filter(([name]) => canonical(name) === 'user-agent');
      expect(own.length).toBe(1);
    }));

  it('the caller’s Authorization leaves where D2 allows it, and nowhere else', () =>
    holds((call, composed) => {
      const { agentAuth, appAuth } = call.server;
      const isAllowed = agentAuth.type === 'passthrough' && appAuth.type === 'passthrough' && isEnabled(call);
      const left = passedOf(call, composed).filter(({ from }) => from[0].toLowerCase() === 'authorization');
      if (!isAllowed) expect(left).toEqual([]);
    }));

  it('X-Upstream-Authorization leaves where D3 allows it, as Authorization, and in one spelling only', () =>
    holds((call, composed) => {
      const { appAuth, outboundHeaders = [] } = call.server;
      const isAllowed = (appAuth.type === 'none' || appAuth.type === 'passthrough') && !outboundHeaders.some(({ name }) => canonical(name) === 'authorization') && isEnabled(call);
      for (const { name, from } of passedOf(call, composed).filter((passed) => canonical(passed.from[0]) === 'x-upstream-authorization')) {
        expect([isAllowed, name, from[0].toLowerCase()]).toEqual([true, 'Authorization', 'x-upstream-authorization']);
      }
      expect(composed.headers.filter(([name]) => canonical(name) === 'x-upstream-authorization')).toEqual([]);
      expect(composed.headers.filter(([name]) => canonical(name) === 'authorization').length).toBeLessThan(2);
    }));

  it('nothing leaves while pass-through is off', () =>
    holds((call, composed) => {
      if (!isEnabled(call)) expect(passedOf(call, composed)).toEqual([]);
    }));

  it('a value leaves as it came, without the white space around it, or not at all', () =>
    holds((call, composed) => {
      const limit = call.server.headerPolicy?.maxValueBytes ?? (call.environment.source === 'env' ? undefined : call.document?.maxValueBytes) ?? 8_192;
      for (const { value, from } of passedOf(call, composed)) {
        expect(value).toBe(from[1].replace(/^[ \t]+|[ \t]+$/g, ''));
        expect(value.length).toBeLessThanOrEqual(limit);
        // eslint-disable-next-line no-control-regex -- control characters are what this is about
        expect(value).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
      }
    }));

  it('every header has its verdicts, in order, and what leaves is what they say', () =>
    holds((call, composed) => {
      const names = composed.verdicts.map(({ name }) => name);
      // Of one header there may be several, one after the other.
      const inOrder = names.filter((name, index) => index === 0 || name !== names[index - 1]);
      const sent = call.rows.map(([name]) => name).filter((name, index, all) => index === 0 || name !== all[index - 1]);
      expect(inOrder).toEqual(sent);
      const explained = composed.verdicts.filter(({ action }) => action !== 'dropped').map(({ name, outgoingName }) => `${name} as ${outgoingName}`);
      expect(passedOf(call, composed).map(({ name, from }) => `${from[0]} as ${name}`).sort()).toEqual(explained.sort());
      for (const { action, reason } of composed.verdicts) expect(reason !== undefined).toBe(action === 'dropped');
    }));

  it('headers keep their order; Authorization comes after them', () =>
    holds((call, composed) => {
      const passed = passedOf(call, composed);
      const numbers = passed.filter(({ name }) => canonical(name) !== 'authorization').map(({ value }) => numberOf(value));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      const at = passed.findIndex(({ name }) => canonical(name) === 'authorization');
      if (at !== -1) expect(at).toBe(passed.length - 1);
    }));

  it('a header that may occur once does', () =>
    holds((_call, composed) => {
      const names = composed.headers.map(([name]) => canonical(name)).filter(isSingletonHeader);
      expect(names.length).toBe(new Set(names).size);
    }));
});

it('the calls are not all alike: every verdict is reached', () => {
  const outcomes = new Set(
    fc.sample(arbitraryCall, { numRuns: 1_000, seed: 1 }).flatMap((call) => {
      const composed = compose(call);
      return composed === 'duplicate_header' ? [composed] : composed.verdicts.map(verdictOutcome);
    }),
  );
  expect([...outcomes].sort()).toEqual([...dropReasons, 'duplicate_header', 'kept', 'renamed', 'replaced'].sort());
});

describe('no matter', () => {
  it('in which order the rows of a configuration stand', () =>
    fc.assert(
      fc.property(arbitraryCall, fc.integer(), (call, seed) => {
        const mixed = reordered(call, seed);
        expect(facts(compose(mixed))).toEqual(facts(compose(call)));
      }),
      runs,
    ));

  it('what was asked before', () =>
    fc.assert(
      fc.property(arbitraryCall, fc.array(arbitraryCall, { maxLength: 3 }), (call, others) => {
        const prepared = prepareServer('s', 'w', call.server);
        for (const { document, environment, method, rows } of [call, ...others, call]) {
          const next = { server: call.server, document, environment, method, rows };
          expect(compose(next, prepared)).toEqual(compose(next));
        }
      }),
      runs,
    ));
});

const facts = (composed: Composed | 'duplicate_header'): unknown =>
  composed === 'duplicate_header' ? composed : [composed.headers.map((row) => JSON.stringify(row)).sort(), composed.verdicts.map((verdict) => JSON.stringify(verdict)).sort()];

/** The same call, under a configuration whose lists are turned around or rotated. */
function reordered({ server, document, environment, ...rest }: ArbitraryCall, seed: number): ArbitraryCall {
  const mix = <T>(list: readonly T[]): T[] => {
    const at = list.length === 0 ? 0 : Math.abs(seed % list.length);
    const rotated = [...list.slice(at), ...list.slice(0, at)];
    return seed % 2 === 0 ? rotated : rotated.reverse();
  };
  const mixPolicy = <P extends { list?: string[] | undefined; mappings?: NonNullable<typeof document>['mappings']; restricted?: string[] | undefined }>(policy: P): P => ({
    ...policy, ...(policy.list && { list: mix(policy.list) }), ...(policy.mappings && { mappings: mix(policy.mappings) }), ...(policy.restricted && { restricted: mix(policy.restricted) }),
  });
  return {
    ...rest,
    server: { ...server, ...(server.headerPolicy && { headerPolicy: mixPolicy(server.headerPolicy) }) },
    document: document && mixPolicy(document),
    environment: { ...environment, list: mix(environment.list) },
  };
}
