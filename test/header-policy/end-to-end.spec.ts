import { dropReasons } from '@gatehouse/header-policy';
import { version } from '@gatehouse/service-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RawReply, rawRequest } from '../support/raw-request.ts';
import { headerPairs, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { invalidCases, type PassingCase, passingCases, type RefusedCase, refusedCases } from './decision-table.ts';
import { makePlaceholders } from './placeholders.ts';
import { bodyOf, completed, ownNames, type Placeholders, requestOf, rowsOf, serverOf, split } from './request-of-case.ts';

/* docs/header-policy.cases.yaml through a running data plane: bytes in, bytes out, and what log and metrics say of it. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let placeholders: Placeholders;
let metrics: string;
const replies = new Map<number, RawReply>();

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_MAX_HEADER_BYTES: '131072', GATEHOUSE_ALLOWED_ORIGINS: 'https://console.example' });
  placeholders = await makePlaceholders(await dataPlane.addServiceAccount('ci'));
  const withServers = [...passingCases, ...refusedCases, ...invalidCases.filter(({ problems }) => 'server' in problems)];
  await dataPlane.publish(...withServers.map((one) => serverOf(one, upstream.origin, placeholders)));
  for (const [global, cases] of byGlobalPolicy()) {
    await dataPlane.publishHeaderPolicy(global.document, global.environment);
    await Promise.all(cases.map(async (one) => replies.set(one.number, await send(one))));
  }
  metrics = await (await fetch(`${dataPlane.internalUrl}/metrics`)).text();
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

type SentCase = PassingCase | RefusedCase;

/** One policy holds for all servers: the cases of each take their turn. */
function byGlobalPolicy(): Map<SentCase['global'], SentCase[]> {
  const groups = new Map<string, SentCase[]>();
  for (const one of [...passingCases, ...refusedCases]) groups.set(JSON.stringify(one.global), [...(groups.get(JSON.stringify(one.global)) ?? []), one]);
  return new Map([...groups.values()].map((cases) => [(cases[0] as SentCase).global, cases]));
}

function send(one: SentCase): Promise<RawReply> {
  const { rows } = requestOf(one, new URL(dataPlane.url).host, placeholders);
  const lines = [`${one.method} /mcp/default/case-${one.number} HTTP/1.1`, ...rows.map(([name, value]) => `${name}: ${value}`)];
  return rawRequest(dataPlane.url, lines, bodyOf(one));
}

const recorded = ({ number }: SentCase): RecordedRequest[] => upstream.requests.filter(({ url }) => new RegExp(`^/case-${number}(\\?|$)`).test(url));

interface LogLine {
  readonly msg: string;
  readonly server?: string;
  readonly headers?: Record<string, number>;
  readonly dropped?: { name: string; reason: string; rule: string }[];
}
const logged = (msg: string, { number }: SentCase): LogLine | undefined =>
  dataPlane.log.map((line) => JSON.parse(line) as LogLine).find((line) => line.msg === msg && line.server === `case-${number}`);

/** What the transport writes, and nobody else. */
const framing = new Set(['host', 'connection', 'content-length']);

const sent = passingCases.filter(({ parser }) => parser === undefined);
const unparsed = passingCases.filter(({ parser }) => parser !== undefined);

it.each(sent.map((one) => [one.title, one] as const))('%s', (_title, one) => {
  const [request, ...more] = recorded(one);
  expect([request?.method, more]).toEqual([one.method, []]);
  expect(request?.url).toBe(`/case-${one.number}${one.query === undefined ? '' : `?${one.query}`}`);
  expect(request?.body.toString()).toBe(bodyOf(one));
  const { others, own } = split(headerPairs(request as RecordedRequest).filter(([name]) => !framing.has(name)), `gatehouse/${version}`);
  expect(others).toEqual(rowsOf(one.leaves, placeholders));
  expect(own).toEqual(ownNames(one));
});

describe('log and metrics tell the same:', () => {
  it.each(sent.map((one) => [one.title, one] as const))('%s', (_title, one) => {
    const { frame } = requestOf(one, '', placeholders);
    const dropped = logged('headers', one)?.dropped ?? [];
    const expected = one.verdicts.map(completed);
    const expectedDrops = expected.filter(({ action }) => action === 'dropped');
    const ofCase = dropped.filter(({ name }) => !frame.has(name));
    // Names are logged up to a length.
    expect(ofCase.map(({ name, reason }) => [name, reason])).toEqual(expectedDrops.map(({ name, reason }) => [name.slice(0, 256), reason]));
    for (const [index, { rule }] of expectedDrops.entries()) if (rule !== undefined) expect(ofCase[index]?.rule).toBe(rule);

    const outcomes = [...expected, ...dropped.filter(({ name }) => frame.has(name)).map(({ reason }) => ({ action: 'dropped', reason }))].map(({ action, reason }) => reason ?? action);
    const counts = Object.fromEntries([...new Set(outcomes)].map((outcome) => [outcome, outcomes.filter((other) => other === outcome).length]));
    expect(logged('call', one)?.headers).toEqual(counts);
    expect(countedOf(one)).toEqual(counts);
  });
});

/** gatehouse_header_verdicts_total of the case's server. */
function countedOf({ number }: SentCase): Record<string, number> {
  const lines = metrics.matchAll(new RegExp(`^gatehouse_header_verdicts_total\\{workspace="default",server="case-${number}",outcome="(\\w+)"\\} (\\d+)`, 'gm'));
  return Object.fromEntries([...lines].map(([, outcome = '', count]) => [outcome, Number(count)]));
}

it.each(unparsed.map((one) => [one.title, one] as const))('%s', (_title, one) => {
  expect([replies.get(one.number)?.status, recorded(one)]).toEqual([one.parser, []]);
});

it.each(refusedCases.map((one) => [one.title, one] as const))('%s', (_title, one) => {
  const { status, body } = replies.get(one.number) as RawReply;
  expect([status, (JSON.parse(body) as { error: { data: { code: string } } }).error.data.code, recorded(one)]).toEqual([400, one.refused, []]);
});

it.each(invalidCases.filter(({ problems }) => 'server' in problems).map((one) => [one.title, one] as const))('%s', async (_title, one) => {
  const response = await fetch(`${dataPlane.url}/mcp/default/case-${one.number}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('server_not_found')]);
});

it('every reason but the parser’s has been given', () => {
  const given = new Set(dataPlane.log.flatMap((line) => Object.keys((JSON.parse(line) as LogLine).headers ?? {})));
  // Control characters do not get past the parser: the engine refuses them for whoever comes another way.
  expect(dropReasons.filter((reason) => !given.has(reason))).toEqual(['invalid_value']);
});

it('no value was logged', () => {
  const values = passingCases.flatMap(({ sends }) => rowsOf(sends, placeholders)).map(([, value]) => value.trim());
  const secrets = new Set(values.filter((value) => /^(Bearer|Basic|session=)/.test(value)));
  for (const value of secrets) expect(dataPlane.log.join('\n')).not.toContain(value);
});
