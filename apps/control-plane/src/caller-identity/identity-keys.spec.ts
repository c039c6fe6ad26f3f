import { type IdentityKeysDocument, identityKeysId, openDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { IdentityKeys } from '@gatehouse/outbound-headers';
import { parseKey, Secret } from '@gatehouse/sealing';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { startTestControlPlane, type TestControlPlane, until } from '../spec-support/start-test-control-plane.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const fixture = useControlPlane({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' });

async function published({ channel, environment }: TestControlPlane): Promise<IdentityKeysDocument | undefined> {
  const [document] = await channel.readDocuments([identityKeysId]);
  return document && (openDocument(snapshotKeysOf([parseKey(environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '')]), document) as IdentityKeysDocument);
}
const kids = async (): Promise<string[] | undefined> => (await published(fixture.plane))?.keys.map(({ jwk }) => jwk.kid);
const stored = async (): Promise<string[]> => (await fixture.query<{ kid: string }>('select kid from identity_signing_keys order by signs_from')).map(({ kid }) => kid);
const keySet = async (): Promise<JSONWebKeySet> => (await fixture.plane.send<JSONWebKeySet>('GET', '/.well-known/jwks.json', { authorization: undefined })).body;

test('what data planes sign is verified with what anybody may read, and nothing private is there', async () => {
  await until(async () => (await published(fixture.plane)) !== undefined);
  const { issuer = '', keys = [] } = (await published(fixture.plane)) ?? {};
  const signer = new IdentityKeys({ issuer, keys: keys.map(({ signsFrom, jwk }) => ({ signsFrom, jwk: { ...jwk, d: new Secret(jwk.d as string) } })), now: Date.now });
  const { keys: publicKeys } = await keySet();
  const { payload } = await jwtVerify(signer.sign({ sub: '1', aud: 'orders' }).reveal(), createLocalJWKSet({ keys: publicKeys }), { issuer: 'http://localhost:3000', audience: 'orders', typ: 'caller-identity+jwt' });
  expect(payload.sub).toBe('1');
  expect(publicKeys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']]);
});

test('they are no keys of the authorization server, whose own stay where they are', async () => {
  const { body } = await fixture.plane.send<JSONWebKeySet>('GET', '/oauth/jwks', { authorization: undefined });
  const own = body.keys.map(({ kid }) => kid);
  expect(own.length).toBe(1);
  expect((await keySet()).keys.map(({ kid }) => kid).filter((kid) => own.includes(kid))).toEqual([]);
  expect(await kids()).toEqual(await stored());
});

test('a private key rests sealed', async () => {
  const [row] = await fixture.query<{ sealed: Buffer; text: string }>('select sealed, public_jwk::text as text from identity_signing_keys');
  expect(row?.sealed[0]).toBe(1);
  expect(JSON.parse(row?.text ?? '{}')).not.toHaveProperty('d');
});

test('the next key is published a day before it signs: data planes know when', async () => {
  const restart = async (): Promise<void> => (await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() })).close();
  const [first] = await stored();
  await fixture.query(`update identity_signing_keys set signs_from = now() - interval '89 days'`);
  await restart();
  const [, second] = await stored();
  expect((await keySet()).keys.map(({ kid }) => kid)).toEqual([first, second]);
  await until(async () => (await kids())?.length === 2);
  const [, next] = (await published(fixture.plane))?.keys ?? [];
  expect(next?.jwk.kid).toBe(second);
  expect((next?.signsFrom ?? 0) - Date.now() / 1000).toBeGreaterThan(23 * 3_600);
  await fixture.query(`update identity_signing_keys set signs_from = now() - interval '25 hours' where kid = $1`, [second]);
  await restart();
  expect(await stored()).toEqual([second]);
});

test('replaced in an emergency: one key is left, here and there, and the audit trail has it', async () => {
  const before = await stored();
  const { status, body } = await fixture.plane.send<{ kid: string }>('POST', '/v1/identity-keys/rotate');
  expect(status).toBe(200);
  expect(before).not.toContain(body.kid);
  expect((await keySet()).keys.map(({ kid }) => kid)).toEqual([body.kid]);
  await until(async () => (await kids())?.join() === body.kid);
  expect(await fixture.query(`select from audit_events where action = 'identity-keys.rotated' and target_name = $1`, [body.kid])).toHaveLength(1);
});

test('one that does not open keeps nothing else from being published', async () => {
  await fixture.query(`update identity_signing_keys set sealed = sealed || '\\x00'::bytea`);
  const plane = await startTestControlPlane({ environment: fixture.plane.environment, channel: createMemoryChannel() });
  await until(async () => (await plane.channel.readState()) !== undefined);
  expect(await published(plane)).toEqual({ kind: 'unreadable', id: identityKeysId });
  await plane.close();
});
