import type { SpecServer } from '../support/in-process-data-plane.ts';
import type { ExpectedVerdict, PassingCase, RefusedCase, Row } from './decision-table.ts';

type AnyCase = Pick<PassingCase | RefusedCase, 'method' | 'era' | 'sends'>;

/** What stands in braces in the table. */
export interface Placeholders {
  readonly serviceAccountKey: string;
  /** A token, and the key set that verifies it. */
  readonly jwt: string;
  readonly jwks: unknown;
}

const version = '2026-07-28';
const messages = {
  legacy: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } },
  modern: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': version } } },
};

export const bodyOf = ({ method, era }: AnyCase): string => (method === 'POST' ? JSON.stringify(messages[era]) : '');

export interface SpecRequest {
  /** As they are on the wire, in order. */
  readonly rows: readonly Row[];
  /** Those that the case does not name: their verdicts are not in the table. */
  readonly frame: ReadonlySet<string>;
}

/** The case's rows, in the frame that no request can do without. */
export function requestOf(one: AnyCase, host: string, placeholders: Placeholders): SpecRequest {
  const sends = rowsOf(one.sends, placeholders);
  const named = new Set(sends.map(([name]) => name.toLowerCase()));
  const isFree = ([name]: Row): boolean => !named.has(name.toLowerCase());
  const length = Buffer.byteLength(bodyOf(one));
  const first: Row[] = [['Host', host], ...(one.method === 'POST' ? ([['Content-Type', 'application/json'], ['Content-Length', String(length)]] as const) : [])];
  const last: Row[] = [['Connection', 'close']];
  const frame = [...first, ...last].filter(isFree);
  return { rows: [...first.filter(isFree), ...sends, ...last.filter(isFree)], frame: new Set(frame.map(([name]) => name)) };
}

/** Rows of the table as they are sent. */
export const rowsOf = (rows: readonly Row[], { serviceAccountKey, jwt }: Placeholders): Row[] =>
  rows.map(([name, value]) => [repeated(name), repeated(value).replaceAll('{service-account-key}', serviceAccountKey).replaceAll('{jwt}', jwt)]);

/** `(300 × n)` is written out. */
const repeated = (text: string): string => text.replace(/\((\d+) × (.)\)/g, (_, count: string, character: string) => character.repeat(Number(count)));

/** The case's server, open and without a credential unless it says otherwise. */
export const serverOf = (one: { readonly number: number; readonly server: object }, origin: string, { jwks }: Placeholders): SpecServer =>
  JSON.parse(
    JSON.stringify({ name: `case-${one.number}`, upstream: { url: `${origin}/case-${one.number}` }, ...one.server }, (_, value: unknown) => (value === '{jwks}' ? jwks : value)),
  ) as SpecServer;

const own: readonly Row[] = [['content-type', 'application/json']];

/** What leaves besides what the gateway says of itself, and which of those it says. */
export function split(headers: readonly Row[], userAgent: string): { readonly others: Row[]; readonly own: string[] } {
  const isOwn = ([name, value]: Row): boolean => [...own, ['user-agent', userAgent]].some(([ownName, ownValue]) => ownName === name && ownValue === value);
  return { others: headers.filter((row) => !isOwn(row)), own: headers.filter(isOwn).map(([name]) => name) };
}

/** The headers of its own that the gateway sends, unless one that leaves has their name. */
export function ownNames({ method, leaves }: Pick<PassingCase, 'method' | 'leaves'>): string[] {
  const taken = leaves.map(([name]) => name.toLowerCase().replaceAll(/[_.]/g, '-'));
  return ['user-agent', ...(method === 'POST' ? ['content-type'] : [])].filter((name) => !taken.includes(name));
}

/** A verdict of the table in full: with the name under which a header leaves also where that is its own. */
export function completed(verdict: ExpectedVerdict): ExpectedVerdict {
  const { outgoingName = verdict.action === 'dropped' ? undefined : verdict.name } = verdict;
  return { ...verdict, name: repeated(verdict.name), ...(outgoingName !== undefined && { outgoingName: repeated(outgoingName) }) };
}
