import { completeServer, type EnvironmentPolicy, type ServerHeaderPolicy, type StoredHeaderPolicy, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import fc from 'fast-check';
import type { Row } from './decision-table.ts';

/*
 * Calls and configurations for properties: few names, so that what is sent, selected, restricted and set meet, in every spelling.
 * Also configurations that would be refused: the engine has to hold without the schemas.
 */

export interface ArbitraryCall {
  readonly server: UpstreamServerDocument;
  readonly document: StoredHeaderPolicy | undefined;
  readonly environment: EnvironmentPolicy;
  readonly method: 'POST' | 'GET';
  readonly rows: readonly Row[];
}

const neverPassing = [
  'Cookie', 'Set-Cookie', 'Host', 'Connection', 'Content-Length', 'Transfer-Encoding', 'Keep-Alive', 'TE', 'Upgrade', 'Expect', 'Proxy-Authorization', 'Proxy-X',
  'X-Gatehouse-Key', 'X-Gatehouse-User', 'X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via', 'Traceparent', 'Baggage', 'Origin', 'Referer', 'Sec-Fetch-Site',
  'Access-Control-Allow-Origin', 'Mcp-Session-Id', 'Mcp-Param-A', 'Last-Event-ID', 'Accept-Encoding', 'Content-Encoding',
];
const passing = ['X-Tenant', 'X-Tenant-Id', 'X-Internal-Id', 'X-Internal-Key', 'X-Request-Id', 'Accept-Language', '__proto__', 'constructor', 'X', 'X-Cookie'];
const contested = ['Authorization', 'X-Upstream-Authorization', 'X-API-Key', 'X-Service', 'User-Agent', 'Accept', 'Content-Type'];
const patterns = ['x-internal-*', '*-id', 'x-*-key', 'authorization', 'X_Tenant', '*', 'cookie', 'x-upstream-*', '__proto__', 'accept*'];

/** A name in any case, its separators exchanged. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('as it is', 'lower', 'mixed'), fc.array(fc.tuple(fc.boolean(), fc.constantFrom('-', '_', '.')), { minLength: name.length, maxLength: name.length }))
    .map(([how, changes]) => {
      if (how === 'as it is') return name;
      if (how === 'lower') return name.toLowerCase();
      return [...name].map((character, index) => respell(character, changes[index] ?? [false, '-'])).join('');
    });
const respell = (character: string, [isUpper, separator]: readonly [boolean, string]): string =>
  /[-_.]/.test(character) ? separator : isUpper ? character.toUpperCase() : character.toLowerCase();

const anyName = fc
  .oneof({ weight: 2, arbitrary: fc.constantFrom(...neverPassing) }, { weight: 4, arbitrary: fc.constantFrom(...passing) }, { weight: 3, arbitrary: fc.constantFrom(...contested) }, { weight: 1, arbitrary: fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/) })
  .chain(spelled);

/** What a value ends with, behind the number that tells whose it is. */
const ending = fc.oneof(
  { weight: 12, arbitrary: fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,12}$/) },
  { weight: 1, arbitrary: fc.constantFrom('\u0000', '\r\nX-Evil: 1', '\n', '\u001b', '\u007f', 'a\tb', '\u00a0', 'x'.repeat(60)) },
);
const blank = fc.constantFrom('', ' ', '\t ');
/** The values of rows, each its row's own wherever it turns up; some have nothing in them. */
const values = fc
  .array(fc.tuple(ending, blank, fc.nat({ max: 15 })), { minLength: 12, maxLength: 12 })
  .map((parts) => parts.map(([end, around, kind], index) => (kind === 0 ? around : `${around}v${index}.${end}${around}`)));

const connectionRow = fc.array(anyName, { maxLength: 3 }).map((names): Row => ['Connection', ['close', ...names].join(', ')]);

const rows = fc.tuple(fc.array(anyName, { maxLength: 12 }), values, fc.option(connectionRow)).map(([names, texts, connection]): Row[] => {
  const sent = names.filter((name) => name.toLowerCase() !== 'connection').map((name, index): Row => [name, texts[index] ?? '']);
  return connection === null ? sent : [...sent, connection];
});

const distinctNames = fc.uniqueArray(anyName, { maxLength: 6, selector: canonical });
/** Of one source maybe several targets; of two sources never the same. */
const mappings = fc
  .tuple(fc.array(anyName, { minLength: 1, maxLength: 6 }), distinctNames)
  .map(([sources, targets]) => targets.map((target, index) => ({ source: sources[index % sources.length] as string, target })));
const restricted = fc.array(fc.constantFrom(...patterns), { maxLength: 3 });

const selection = fc.oneof(
  fc.constant({ mode: 'none' as const }),
  fc.constant({ mode: 'all' as const }),
  distinctNames.map((list) => ({ mode: 'list' as const, list })),
  mappings.map((all) => ({ mode: 'mappings' as const, mappings: all })),
);
const policy: fc.Arbitrary<ServerHeaderPolicy> = fc
  .tuple(selection, restricted, fc.option(fc.boolean()), fc.option(fc.constantFrom(1, 8, 40, 8192)))
  .map(([selected, patternsOf, overwrite, bytes]) => ({
    ...selected, restricted: patternsOf, ...(overwrite !== null && { overwriteBaseHeaders: overwrite }), ...(bytes !== null && { maxValueBytes: bytes }),
  }));

const source = fc.constantFrom('db' as const, 'env' as const, 'merge' as const, undefined);
const document = fc.option(
  fc.tuple(policy, fc.boolean(), fc.option(fc.boolean()), source).map(([{ mode, list, mappings: mapped, ...rest }, hasRows, enabled, from]): StoredHeaderPolicy => ({
    ...rest, ...(hasRows && { mode, ...(list && { list }), ...(mapped && { mappings: mapped }) }), ...(enabled !== null && { enabled }), ...(from && { source: from }),
  })),
  { nil: undefined, freq: 1 },
);
const environment: fc.Arbitrary<EnvironmentPolicy> = fc.record({ enabled: fc.constantFrom(true, true, true, false), list: distinctNames, source });

const appAuth = fc.constantFrom(
  { type: 'none' }, { type: 'none' }, { type: 'passthrough' }, { type: 'passthrough' },
  { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'gateway-1' },
  { type: 'api-key', name: 'x_api.key', in: 'header', value: 'gateway-1' },
  { type: 'api-key', name: 'key', in: 'query', value: 'gateway-1' },
  { type: 'api-key', name: 'User-Agent', in: 'header', value: 'gateway-1' },
  { type: 'api-key', name: 'Cookie', in: 'header', value: 'gateway-1' },
  { type: 'bearer', token: 'gateway-1' },
  { type: 'basic', username: 'gateway', password: 'one' },
  { type: 'custom-headers', headers: [{ name: 'X-API-Key', value: 'gateway-1' }, { name: 'X-Tenant', value: 'gateway-2' }] },
);
const outboundHeaders = fc.constantFrom<object[]>(
  [], [], [{ name: 'X-Service', source: { type: 'static', value: 'gateway-3' } }],
  [{ name: 'authorization', prefix: 'Bearer', source: { type: 'static', value: 'gateway-4' } }],
  [{ name: 'x_internal.key', source: { type: 'static', value: 'gateway-5' } }, { name: 'Accept-Language', source: { type: 'static', value: 'gateway-6' } }],
);
const agentAuth = fc.oneof(restricted.map((restrictedHeaders) => ({ type: 'passthrough', restrictedHeaders })), fc.constant({ type: 'api-key' }));

const server = fc.tuple(agentAuth, appAuth, outboundHeaders, fc.option(policy)).map(([agent, app, outbound, headerPolicy]) => {
  const written = { name: 's', type: 'mcp', upstream: { url: 'https://upstream.example/mcp' }, agentAuth: agent, appAuth: app };
  // Only where nothing is set twice, which is refused.
  const parsed = completeServer.safeParse({ ...written, outboundHeaders: outbound });
  return { ...((parsed.data ?? completeServer.parse(written)) as UpstreamServerDocument), ...(headerPolicy !== null && { headerPolicy }) };
});

export const arbitraryCall: fc.Arbitrary<ArbitraryCall> = fc.record({ server, document, environment, method: fc.constantFrom('POST' as const, 'GET' as const), rows });

/** D5, written down a second time: properties do not ask the engine what it should do. */
export function canonical(name: string): string {
  return [...name].map((character) => (character === '_' || character === '.' ? '-' : character.toLowerCase())).join('');
}

/** D6, step 1, written down a second time; X-Upstream-Authorization is never an outgoing name either. */
const never =
  /^(cookie2?|set-cookie2?|close|connection|content-length|expect|host|http2-settings|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|x-gatehouse-.*|x-forwarded-.*|forwarded|x-real-ip|via|traceparent|tracestate|baggage|origin|referer|sec-.*|access-control-.*|mcp-.*|last-event-id|accept-encoding|content-encoding)$/;
export const isNeverPassing = (name: string): boolean => never.test(canonical(name));

export const matchesPattern = (pattern: string, name: string): boolean =>
  new RegExp(`^${canonical(pattern).split('*').map((part) => part.replaceAll(/[^a-z0-9-]/g, '\\$&')).join('.*')}$`, 's').test(canonical(name));
