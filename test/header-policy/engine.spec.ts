import { agentAuth, agentAuthTypes, prepareAgentAuth } from '@gatehouse/agent-auth';
import { appAuthTypes } from '@gatehouse/app-auth';
import { completeServer, resolveGlobalPolicy, writableHeaderPolicy, writableServer } from '@gatehouse/gateway-config';
import { dropReasons } from '@gatehouse/header-policy';
import { cleanHeaders, composeRequest, type ComposedRequest, obtainCredentials, prepareServer } from '@gatehouse/upstream-request';
import { beforeAll, describe, expect, it } from 'vitest';
import { caseCount, groupNames, invalidCases, type PassingCase, passingCases, type RefusedCase, refusedCases } from './decision-table.ts';
import { makePlaceholders } from './placeholders.ts';
import { bodyOf, completed, ownNames, type Placeholders, requestOf, rowsOf, serverOf, split } from './request-of-case.ts';

/* docs/header-policy.cases.yaml, without sockets: the configuration's schemas, the engine, and the composer of requests. */

let placeholders: Placeholders;
beforeAll(async () => void (placeholders = await makePlaceholders('gatehouse_0123456789abcdef_secret')));

const userAgent = 'gatehouse/spec';
const limits = { maxBytes: 131_072, maxCount: 100 };

async function compose(one: PassingCase | RefusedCase): Promise<{ composed: ComposedRequest; frame: ReadonlySet<string> }> {
  const document = completeServer.parse({ type: 'mcp', agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, ...serverOf(one, 'https://upstream.example', placeholders) });
  const server = prepareServer(String(one.number), 'default', document);
  const { rows, frame } = requestOf(one, 'gateway.example', placeholders);
  const flat = rows.flat();
  const headers = cleanHeaders(flat, limits);
  const body = one.method === 'POST' ? bodyOf(one) : undefined;
  const composed = composeRequest({
    server, headerPolicy: resolveGlobalPolicy(one.global.document, one.global.environment), call: { method: one.method, era: one.era, body, upstreamSession: undefined },
    rows: flat, headers, credentials: await obtainCredentials(server), path: server.upstream.path, userAgent,
  });
  return { composed, frame };
}

const pairs = (flat: readonly string[]): [string, string][] => flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : []));

it.each(passingCases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
  const { composed, frame } = await compose(one);
  const { others, own } = split(pairs(composed.headers), userAgent);
  expect(others).toEqual(rowsOf(one.leaves, placeholders));
  expect(own).toEqual(ownNames(one));
  expect(composed.path).toBe(`/case-${one.number}${one.query === undefined ? '' : `?${one.query}`}`);
  const verdicts = composed.verdicts.filter(({ name }) => !frame.has(name));
  const expected = one.verdicts.map(completed);
  // A rule is compared where the table names one.
  expect(verdicts.map(({ rule, ...verdict }, index) => (expected[index]?.rule === undefined ? verdict : { rule, ...verdict }))).toEqual(expected);
});

it('every global policy of the table may be written', () => {
  for (const { global, title } of [...passingCases, ...refusedCases]) if (global.document) expect(writableHeaderPolicy.safeParse(global.document).error, title).toBeUndefined();
});

it.each(refusedCases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
  await expect(compose(one)).rejects.toMatchObject({ code: one.refused });
});

it.each(invalidCases.map((one) => [one.title, one] as const))('%s', (_title, one) => {
  const written = { type: 'mcp', agentAuth: { type: 'passthrough' }, ...serverOf(one, 'https://upstream.example', placeholders) };
  // What only shows with everything in place is found before a document is stored, by the complete schema.
  const schemas = 'server' in one.problems ? [writableServer, completeServer] : [writableHeaderPolicy];
  const issues = schemas.flatMap((schema) => schema.safeParse('server' in one.problems ? { appAuth: { type: 'none' }, ...written } : one.global?.document).error?.issues ?? []);
  expect([...new Set(issues.map(({ path }) => `/${path.join('/')}`))]).toEqual('server' in one.problems ? one.problems.server : one.problems.global);
});

describe('the table', () => {
  it('has at least 150 cases', () => expect(caseCount).toBeGreaterThanOrEqual(150));
  it('has no two cases that show the same', () => {
    const titles = [...passingCases, ...refusedCases, ...invalidCases].map(({ title }) => title.replace(/^\d+\. /, ''));
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
    expect(new Set(groupNames).size).toBe(groupNames.length);
  });

  it.each(dropReasons)('reaches %s', (reason) => expect(passingCases.flatMap(({ verdicts }) => verdicts.map((verdict) => verdict.reason))).toContain(reason));
  it.each(['kept', 'renamed', 'replaced'])('reaches %s', (action) => expect(passingCases.flatMap(({ verdicts }) => verdicts.map((verdict) => verdict.action))).toContain(action));

  it.each(agentAuthTypes.map(({ type }) => type))('D2 holds for agent authentication %s: pass-through alone lets Authorization go on', (type) => {
    expect(prepareAgentAuth(agentAuth.parse({ type })).forwardsAuthorization).toBe(type === 'passthrough');
  });

  // An authentication type that is added says here what it means for the caller's credentials. Those whose credential has to be
  // fetched say it where there is something to fetch it from: connections.spec.ts and on-behalf-of.spec.ts in test/data-plane; those
  // whose credential is a signature, where there is a request: aws-sigv4.spec.ts beside them.
  const fetching = ['oauth-authorization-code', 'oauth-client-credentials', 'on-behalf-of', 'aws-sigv4'];
  it.each(appAuthTypes.map(({ type }) => type).filter((type) => !fetching.includes(type)))('says what Authorization and X-Upstream-Authorization do beside %s', (type) => {
    for (const name of ['authorization', 'x-upstream-authorization']) {
      const ofType = passingCases.filter(({ server }) => ((server.appAuth ?? { type: 'none' }) as { type: string }).type === type);
      expect(ofType.some(({ sends }) => sends.some(([sent]) => sent.toLowerCase() === name)), name).toBe(true);
    }
  });
});
