import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLoginExchange } from '../support/exchange-for-logins.ts';
import type { ExchangeProvider } from '../support/exchange-provider.ts';
import { type CallAnswer, useGateway } from '../support/use-gateway.ts';

const gateway = useGateway({ refreshTokens: true });
let exchange: ExchangeProvider;
beforeAll(async () => {
  exchange = await startLoginExchange(gateway.provider);
});
afterAll(() => exchange?.close());

interface Stored {
  readonly id: string;
  readonly url: string;
  readonly createdAt: string;
  readonly revision: number;
  readonly access: unknown;
}

const access = { allow: [{ group: 'sales' }], tools: { deny: ['delete_*'] } };
const read = async (): Promise<Stored> => (await gateway.send<Stored>('GET', '/servers/changing')).body;
const identityOf = ({ id, url, createdAt }: Stored): unknown => ({ id, url, createdAt });
async function change(authentication: object): Promise<void> {
  const reply = await gateway.send('PATCH', '/servers/changing', authentication);
  expect(reply.status, reply.text).toBe(200);
}
/** What becomes of a call, and what the upstream got of it. */
async function seen(authorization: string): Promise<{ answer: CallAnswer; credential: string | undefined }> {
  gateway.upstream.requests.length = 0;
  const answer = await gateway.call('changing', { authorization });
  return { answer, credential: gateway.sent()[0] ?? gateway.sent('x-api-key')[0] };
}

interface Event {
  readonly action: string;
  readonly targetId: string;
  readonly fields: readonly string[];
}
/** What the audit trail has of a server, the oldest first. */
async function historyOf(id: string): Promise<Event[]> {
  const { body } = await gateway.plane.send<{ items: Event[] }>('GET', '/v1/audit-events?workspace=default&limit=200');
  return body.items.filter(({ targetId }) => targetId === id).toReversed();
}

// In this order: each goes on from where the one before left the server.
describe('P14 the type of authentication is changed after creation', () => {
  let first: Stored;
  /** What their agents had from the beginning. */
  let anas: string;
  let bens: string;
  beforeAll(async () => {
    await gateway.serve({ name: 'changing', title: 'Changing', agentAuth: { type: 'interactive' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'the-first-secret' } });
    [anas, bens] = [await gateway.authorizationOf('ana', 'changing'), await gateway.authorizationOf('ben', 'changing')];
    await change({ access });
    first = await read();
  });

  const client = () => ({ tokenUrl: exchange.tokenUrl, clientId: exchange.clientId, clientSecret: exchange.clientSecret });
  const steps: [string, () => object, (credential: string | undefined) => boolean][] = [
    ['api-key', () => ({ type: 'api-key', name: 'X-API-Key', in: 'header' }), (credential) => credential === 'the-first-secret'],
    ['bearer', () => ({ type: 'bearer', token: 'the-second-secret' }), (credential) => credential === 'Bearer the-second-secret'],
    ['on-behalf-of', () => ({ type: 'on-behalf-of', ...client() }), (credential) => exchange.granted.get(credential?.replace(/^Bearer /, '') ?? '')?.subject === 'ana'],
    ['aws-sigv4', () => ({ type: 'aws-sigv4', region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-third-secret' }), (credential) => credential?.startsWith('AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/') === true],
    ['oauth-client-credentials', () => ({ type: 'oauth-client-credentials', ...client() }), (credential) => credential?.startsWith('Bearer ') === true && !credential.includes('secret')],
    ['none', () => ({ type: 'none' }), (credential) => credential === undefined],
  ];

  it.each(steps)('to %s: the same server, for the same people, with another credential', async (_type, appAuth, isRight) => {
    await change({ appAuth: appAuth() });
    await vi.waitFor(async () => {
      const { answer, credential } = await seen(anas);
      expect([answer.status, isRight(credential)], `${answer.text} ${credential}`).toEqual([200, true]);
    });
    const now = await read();
    expect([identityOf(now), now.access]).toEqual([identityOf(first), access]);
    expect((await seen(bens)).answer).toMatchObject({ status: 403, code: 'forbidden' });
    expect(gateway.upstream.requests).toEqual([]);
  });

  it('a secret of a type that it no longer has is gone', async () => {
    const back = await gateway.send('PATCH', '/servers/changing', { appAuth: { type: 'bearer' } });
    expect([back.status, back.body]).toMatchObject([422, { errors: [{ pointer: '/appAuth/token' }] }]);
    expect(await gateway.query('select field from secrets where owner_id = $1', [first.id])).toEqual([]);
  });

  it('who may call stays with who they are, when callers come another way', async () => {
    const { body: account } = await gateway.send<{ key: string }>('POST', '/service-accounts', { name: 'nightly', groups: ['sales'] });
    const { body: other } = await gateway.send<{ key: string }>('POST', '/service-accounts', { name: 'daily', groups: ['support'] });
    await change({ agentAuth: { type: 'api-key' } });
    await vi.waitFor(async () => expect((await gateway.call('changing', { authorization: `Bearer ${account.key}` })).status).toBe(200));
    expect((await gateway.call('changing', { authorization: `Bearer ${other.key}` })).status).toBe(403);
    expect((await gateway.call('changing', { authorization: anas })).status).toBe(401);

    await change({ agentAuth: { type: 'interactive' } });
    // Nobody has to allow their agent anything again.
    await vi.waitFor(async () => expect((await gateway.call('changing', { authorization: anas })).status).toBe(200));
    expect(identityOf(await read())).toEqual(identityOf(first));
  });

  it('its history is one: from its creation, with every change', async () => {
    const events = await historyOf(first.id);
    expect(events[0]?.action).toBe('server.created');
    const changed = events.slice(1).map(({ fields }) => fields.map((field) => field.split('/')[1]));
    expect(changed.flat().filter((field) => field === 'agentAuth').length).toBeGreaterThanOrEqual(2);
    expect(changed.filter((fields) => fields.includes('appAuth'))).toHaveLength(steps.length - 1);
    expect((await read()).revision).toBeGreaterThan(first.revision);
  });
});
