import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answerAsMcp } from '../../../../../test/support/answer-as-mcp.ts';
import { startLoginExchange } from '../../../../../test/support/exchange-for-logins.ts';
import type { ExchangeProvider } from '../../../../../test/support/exchange-provider.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { connectAs, useConnecting } from '../../spec-support/use-connecting.ts';
import { publicOrigin } from '../../spec-support/use-login.ts';
import type { ProbeStep, TestReport } from './probe-results.ts';

const fixture = useConnecting();
const servers = '/v1/workspaces/default/servers';
let upstream: RecordingUpstream;
let provider: ExchangeProvider;
let ana: TestBrowser;
let names = 0;

beforeAll(async () => {
  [upstream, provider, ana] = await Promise.all([startRecordingUpstream({ handler: answerAsMcp }), startLoginExchange(fixture.provider), fixture.browserOf('ana')]);
});
afterAll(async () => {
  await Promise.all([upstream?.close(), provider?.close()]);
});
beforeEach(() => {
  upstream.requests.length = 0;
});

const interactive = { agentAuth: { type: 'interactive' } };
const withApp = { ...interactive, appAuth: { type: 'oauth-authorization-code', app: 'acme' } };
const client = () => ({ tokenUrl: provider.tokenUrl, clientId: provider.clientId, clientSecret: provider.clientSecret });
const header = (source: object) => ({ appAuth: { type: 'none' }, outboundHeaders: [{ name: 'X-Who', source }] });

async function save(more: object): Promise<string> {
  const name = `probed-${++names}`;
  const reply = await fixture.plane.send('POST', servers, { body: { name, type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'api-key' }, ...more } });
  expect(reply.status, reply.text).toBe(201);
  return name;
}
/** As a person in a browser, or by the administrators' token. */
function send<Body>(path: string, browser?: TestBrowser) {
  const asPerson = browser && { authorization: undefined, headers: { 'Cookie': browser.cookieHeader(new URL(publicOrigin)), 'X-Gatehouse-CSRF': '1' } };
  return fixture.plane.send<Body>('POST', `${servers}/${path}`, asPerson);
}
async function run(name: string, browser?: TestBrowser): Promise<TestReport & { readonly text: string }> {
  const { status, text, body } = await send<TestReport>(`${name}/test`, browser);
  expect(status, text).toBe(200);
  return { ...body, text };
}
const failed = ({ steps }: TestReport): ProbeStep | undefined => steps.find(({ outcome }) => outcome === 'failed');
const sent = (name = 'authorization'): string | undefined => upstream.requests[0] && headerValue(upstream.requests[0], name);
const linkIn = ({ advice = '' }: Partial<ProbeStep> = {}): string => /https:\S+/.exec(advice)?.[0] ?? '';

describe('a client of the gateway’s own', () => {
  test('gets a token, anew for each test, which is not told', async () => {
    const name = await save({ appAuth: { type: 'oauth-client-credentials', ...client() } });
    const before = provider.requests;
    const reports = [await run(name), await run(name)];
    expect(reports.map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
    expect(provider.requests - before).toBe(2);
    const token = sent()?.replace('Bearer ', '') ?? 'none';
    expect(token).not.toBe('none');
    for (const { text } of reports) expect(text).not.toContain(token);
  });

  test('that its provider does not accept is said so, without its secret', async () => {
    const name = await save({ appAuth: { type: 'oauth-client-credentials', ...client(), clientSecret: 'another-secret-0123456789' } });
    const report = await run(name);
    expect(failed(report)).toMatchObject({ step: 'authenticate', reason: 'credential_unavailable', detail: expect.stringContaining('invalid_client') as string });
    expect([report.text, upstream.requests]).toEqual([expect.not.stringContaining('another-secret'), []]);
  });

  test('whose provider is away is said so', async () => {
    const name = await save({ appAuth: { type: 'oauth-client-credentials', ...client(), tokenUrl: 'http://127.0.0.1:9/token' } });
    expect(failed(await run(name))).toMatchObject({ step: 'authenticate', reason: 'provider_unavailable' });
  });

  test('gets one for an outbound header too', async () => {
    const name = await save(header({ type: 'service-token', ...client() }));
    expect([(await run(name)).outcome, typeof sent('x-who')]).toEqual(['passed', 'string']);
  });
});

describe('a connection of each person', () => {
  test('is that of the administrator who asks, and of nobody else', async () => {
    const name = await save(withApp);
    const ben = await fixture.browserOf('ben');
    await connectAs(ben, await fixture.link({ personId: await fixture.personId('ben') }), 'ben-at-acme');

    const step = failed(await run(name, ana));
    expect(step).toMatchObject({ step: 'authenticate', reason: 'connect_required', detail: 'This needs a person’s connection with Acme, which is your own in a test: there is none yet.' });
    expect((await connectAs(ana, linkIn(step), 'ana-at-acme')).status).toBe(200);
    expect((await run(name, ana)).outcome).toBe('passed');
    const { sub } = (await (await fetch(`${fixture.acme.issuer}/me`, { headers: { Authorization: sent() ?? '' } })).json()) as { sub: string };
    expect(sub).toBe('ana-at-acme');
    expect((await send(`${name}/discover`, ana)).status).toBe(200);
  });

  test('is there for callers whose tokens are of their provider, and not where callers are no people', async () => {
    const { jwks_uri: jwksUrl } = (await (await fetch(`${fixture.provider.issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string };
    const validated = (url: string) => ({ type: 'passthrough', jwt: { jwksUrl: url, issuer: fixture.provider.issuer, audience: 'tickets' } });
    const outcomeOf = async (agentAuth: object): Promise<string | undefined> => {
      const report = await run(await save({ ...withApp, agentAuth }), ana);
      return failed(report)?.reason ?? report.outcome;
    };
    expect([await outcomeOf(validated(jwksUrl)), await outcomeOf(validated('http://127.0.0.1:9/jwks')), await outcomeOf({ type: 'api-key' }), await outcomeOf({ type: 'passthrough' })])
      .toEqual(['passed', 'connection_needs_person', 'connection_needs_person', 'connection_needs_person']);
  });

  test('is nobody’s where no person asks', async () => {
    const name = await save(withApp);
    expect(failed(await run(name))).toMatchObject({ reason: 'connection_needs_person', detail: 'This needs a person’s own connection or credential.' });
    expect(await send(`${name}/discover`)).toMatchObject({ status: 403, body: { code: 'connection_needs_person', errors: [{ pointer: '/appAuth' }] } });
    expect(upstream.requests).toEqual([]);
  });
});

test('the organisation’s connection is used whoever asks', async () => {
  const name = await save({ appAuth: { ...withApp.appAuth, shared: true } });
  const step = failed(await run(name));
  expect(step).toMatchObject({ reason: 'connect_required', detail: 'This needs the organisation’s connection with Acme: there is none yet.' });
  expect((await connectAs(ana, linkIn(step), 'ana-at-acme')).status).toBe(200);
  expect((await run(name)).outcome).toBe('passed');
});

test('a credential of each person is what the administrator has entered', async () => {
  await fixture.plane.send('POST', '/v1/workspaces/default/credentials', { body: { name: 'tracker', title: 'tracker token', scope: 'user' } });
  const name = await save({ ...interactive, ...header({ type: 'credential', name: 'tracker', scope: 'user' }) });
  const step = failed(await run(name, ana));
  expect(step).toMatchObject({ reason: 'credential_missing', detail: 'This needs a person’s tracker token, which is your own in a test: there is none yet.' });
  await ana.submit(await ana.open(linkIn(step)), { value: 'value-of-ana-0123456789' });
  const report = await run(name, ana);
  expect([report.outcome, sent('x-who'), report.text]).toEqual(['passed', 'value-of-ana-0123456789', expect.not.stringContaining('value-of-ana')]);
});

describe('on behalf of a caller', () => {
  const exchange = () => ({ type: 'on-behalf-of', ...client() });

  test('is on behalf of the administrator who asks, by their login', async () => {
    const name = await save({ ...interactive, appAuth: exchange() });
    const report = await run(name, ana);
    const token = sent()?.replace('Bearer ', '') ?? '';
    expect([report.outcome, provider.granted.get(token)?.subject, report.text]).toEqual(['passed', 'ana', expect.not.stringContaining(token)]);
  });

  test('is on behalf of nobody where no person asks, or where the token would be a caller’s own', async () => {
    const name = await save({ ...interactive, appAuth: exchange() });
    expect(failed(await run(name))).toMatchObject({ reason: 'subject_token_missing' });
    const own = await save({ ...interactive, appAuth: { ...exchange(), subject: 'caller-token' } });
    expect(failed(await run(own, ana))).toMatchObject({ reason: 'subject_token_missing' });
  });

  test('that is refused is told with the provider’s code', async () => {
    const name = await save({ ...interactive, appAuth: { ...exchange(), audience: 'https://unknown.example' } });
    expect(failed(await run(name, ana))).toMatchObject({ reason: 'token_exchange_refused', detail: expect.stringContaining('invalid_target') as string });
    expect(await send(`${name}/discover`, ana)).toMatchObject({ status: 502, body: { code: 'token_exchange_refused', errors: [{ pointer: '/appAuth' }] } });
  });
});

test('who calls is the administrator who asks: in plain text, and signed', async () => {
  const plain = await save({ ...interactive, ...header({ type: 'caller-identity', claim: 'email' }) });
  expect([(await run(plain, ana)).outcome, sent('x-who')]).toEqual(['passed', 'ana@corp.example']);
  upstream.requests.length = 0;
  const signed = await save({ ...interactive, ...header({ type: 'caller-identity', signed: true }) });
  expect((await run(signed, ana)).outcome).toBe('passed');
  expect(decodeJwt(sent('x-who') ?? '')).toMatchObject({ iss: publicOrigin, aud: upstream.origin, sub: await fixture.personId('ana'), kind: 'person' });
  expect(failed(await run(signed))).toMatchObject({ reason: 'claim_missing' });
});
