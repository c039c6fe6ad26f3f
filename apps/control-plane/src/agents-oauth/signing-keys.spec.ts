import { authorizationServerId, type AuthorizationServerDocument, openDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { parseKey } from '@gatehouse/sealing';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { expect, test } from 'vitest';
import { startTestControlPlane, type TestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' });

async function published({ channel, environment }: TestControlPlane): Promise<AuthorizationServerDocument | undefined> {
  const [document] = await channel.readDocuments([authorizationServerId]);
  return document && (openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as AuthorizationServerDocument);
}
const kids = async (plane: TestControlPlane) => (await published(plane))?.jwks.keys.map(({ kid }) => kid);
const stored = async () => (await fixture.query<{ kid: string }>('select kid from oauth_signing_keys order by signs_from')).map(({ kid }) => kid);

test('control planes that start together on an empty database make one key, and publish its public part only', async () => {
  await fixture.query('delete from oauth_signing_keys');
  const environment = fixture.plane.environment;
  const planes = await Promise.all([1, 2, 3].map(() => startTestControlPlane({ environment, channel: createMemoryChannel() })));
  const names = await stored();
  expect(names).toHaveLength(1);
  for (const plane of planes) {
    await until(async () => (await published(plane)) !== undefined);
    expect(await published(plane)).toEqual({
      kind: 'authorization-server', id: authorizationServerId, issuer: 'http://localhost:3000', registersClients: true, revoked: [], suspendedProviders: [],
      jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: expect.any(String) as string, y: expect.any(String) as string, kid: names[0], alg: 'ES256', use: 'sig' }] },
    });
    await plane.close();
  }
});

test('a private key rests sealed', async () => {
  const [row] = await fixture.query<{ sealed: Buffer; text: string }>('select sealed, public_jwk::text as text from oauth_signing_keys');
  expect(row?.sealed[0]).toBe(1);
  expect(JSON.parse(row?.text ?? '{}')).not.toHaveProperty('d');
});

test('the next key is published a day before it signs, and the one before is kept a day longer than it signs', async () => {
  const restarted = async () => {
    await (await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() })).close();
    return stored();
  };
  const [first] = await stored();
  await fixture.query(`update oauth_signing_keys set signs_from = now() - interval '88 days'`);
  expect(await restarted()).toEqual([first]);
  await fixture.query(`update oauth_signing_keys set signs_from = now() - interval '89 days'`);
  const [, second] = await restarted();
  expect(await restarted()).toEqual([first, second]);
  const [{ ahead } = { ahead: false }] = await fixture.query<{ ahead: boolean }>(`select signs_from > now() + interval '23 hours' as ahead from oauth_signing_keys where kid = $1`, [second]);
  expect(ahead).toBe(true);
  await until(async () => (await kids(fixture.plane))?.includes(second ?? '') === true);
  expect(await kids(fixture.plane)).toEqual([first, second]);

  await fixture.query(`update oauth_signing_keys set signs_from = now() - interval '23 hours' where kid = $1`, [second]);
  expect(await restarted()).toEqual([first, second]);
  await fixture.query(`update oauth_signing_keys set signs_from = now() - interval '25 hours' where kid = $1`, [second]);
  expect(await restarted()).toEqual([second]);
  await until(async () => (await kids(fixture.plane))?.includes(first ?? '') === false);
});

test('replaced in an emergency: one key is left, here, there and in the metadata, and the audit trail has it', async () => {
  const before = await stored();
  const { status, body } = await fixture.plane.send<{ kid: string }>('POST', '/v1/oauth/signing-keys/rotate');
  expect(status).toBe(200);
  expect(before).not.toContain(body.kid);
  expect(await stored()).toEqual([body.kid]);
  await until(async () => (await kids(fixture.plane))?.join() === body.kid);
  expect((await fixture.plane.send<{ keys: { kid: string }[] }>('GET', '/oauth/jwks', { authorization: undefined })).body.keys.map(({ kid }) => kid)).toEqual([body.kid]);
  expect(await fixture.query(`select from audit_events where action = 'signing-keys.rotated' and target_name = $1`, [body.kid])).toHaveLength(1);
});
