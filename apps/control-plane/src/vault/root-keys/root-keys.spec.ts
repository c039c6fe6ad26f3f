import { randomBytes } from 'node:crypto';
import { Secret, UnsealError } from '@gatehouse/sealing';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AwsKmsServer, startAwsKmsServer } from '../../../../../test/support/aws-kms-server.ts';
import { startTransitServer, type TransitServer } from '../../../../../test/support/transit-server.ts';
import { awsKmsRootKey } from './aws-kms-root-key.ts';
import { type AwsKmsReference, parseKmsReference, type TransitReference } from './kms-reference.ts';
import { localRootKey } from './local-root-key.ts';
import { type RootKey, sentinelPlace } from './root-key.ts';
import { RootKeys } from './root-keys.ts';
import { transitRootKey } from './transit-root-key.ts';

const place = { workspaceId: '018f0000-0000-7000-8000-000000000001', term: 3 };
const plaintext = randomBytes(32);
const token = 'hvs.token-of-the-gateway';
let transit: TransitServer;
let plain: TransitServer;
let aws: AwsKmsServer;

beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
  [transit, plain, aws] = await Promise.all([startTransitServer({ token }), startTransitServer({ token, derived: false }), startAwsKmsServer()]);
});
afterAll(() => Promise.all([transit.close(), plain.close(), aws.close()]));

const openTransit = (server: TransitServer, given = token, reference = server.reference): RootKey =>
  transitRootKey(parseKmsReference(reference) as TransitReference, { setting: 'GATEHOUSE_VAULT_KMS', token: () => new Secret(given) });
const openAws = (endpoint = aws.endpoint, reference = aws.reference): RootKey =>
  awsKmsRootKey(parseKmsReference(reference) as AwsKmsReference, { setting: 'GATEHOUSE_VAULT_KMS', endpoint });

describe.each<[string, () => RootKey]>([
  ['a local one', () => localRootKey(randomBytes(32), 'GATEHOUSE_VAULT_KEY')],
  ['transit, derived', () => openTransit(transit)],
  ['transit, not derived', () => openTransit(plain)],
  ['AWS KMS', () => openAws()],
])('a root key: %s', (_name, open) => {
  let rootKey: RootKey;
  let wrapped: Buffer;
  beforeEach(async () => {
    rootKey = open();
    wrapped = await rootKey.wrap(place, plaintext);
  });

  test('opens what it wrapped, and shows nothing of it', async () => {
    expect(await rootKey.unwrap(place, wrapped)).toEqual(plaintext);
    expect(wrapped.includes(plaintext)).toBe(false);
    const sentinel = await rootKey.wrap(sentinelPlace, plaintext);
    expect(await rootKey.unwrap(sentinelPlace, sentinel)).toEqual(plaintext);
    await rootKey.close();
  });

  test.each([
    ['another workspace', { ...place, workspaceId: '018f0000-0000-7000-8000-000000000002' }],
    ['another term', { ...place, term: 4 }],
    ['the sentinel', sentinelPlace],
  ])('does not open it for %s', async (_place, elsewhere) => {
    await expect(rootKey.unwrap(elsewhere, wrapped)).rejects.toBeInstanceOf(UnsealError);
  });

  test('does not open what was changed, or another kind of root key wrapped', async () => {
    const changed = Buffer.from(wrapped);
    changed[changed.length - 6] = changed[changed.length - 6] === 65 ? 66 : 65;
    for (const bytes of [changed, Buffer.concat([Buffer.from([9]), wrapped.subarray(1)]), Buffer.alloc(0)]) {
      await expect(rootKey.unwrap(place, bytes)).rejects.toBeInstanceOf(UnsealError);
    }
  });
});

test('a service is told workspace and term, which it can record, and a policy can ask for', async () => {
  await openTransit(transit).wrap(place, plaintext);
  await openAws().wrap(place, plaintext);
  expect(transit.contexts.at(-1)).toBe(JSON.stringify(['gatehouse', place.workspaceId, 3]));
  expect(aws.contexts.at(-1)).toEqual({ service: 'gatehouse', workspace: place.workspaceId, term: '3' });
});

test('transit’s own rotation of its key goes unnoticed', async () => {
  const wrapped = await openTransit(transit).wrap(place, plaintext);
  transit.rotate();
  expect(await openTransit(transit).unwrap(place, wrapped)).toEqual(plaintext);
});

const nowhere = 'http://127.0.0.1:9';
describe('a service that does not do what is asked of it', () => {
  test.each<[string, string, () => Promise<unknown>]>([
    ['transit is not there', 'vault_kms_unavailable', () => openTransit(transit, token, `transit:${nowhere}/v1/transit/keys/gatehouse`).wrap(place, plaintext)],
    ['transit: a wrong token', 'vault_kms_refused', () => openTransit(transit, 'hvs.other').wrap(place, plaintext)],
    ['transit: no such key', 'vault_kms_refused', () => openTransit(transit, token, transit.reference.replace('keys/gatehouse', 'keys/other')).wrap(place, plaintext)],
    ['transit: no such engine', 'vault_kms_refused', () => openTransit(transit, token, transit.reference.replace('v1/transit', 'v1/other')).wrap(place, plaintext)],
    ['transit: an address that nothing may be at', 'vault_kms_refused', () => openTransit(transit, token, 'transit:https://169.254.169.254/v1/transit/keys/gatehouse').wrap(place, plaintext)],
    ['transit: plain http over the internet', 'vault_kms_refused', () => openTransit(transit, token, 'transit:http://1.1.1.1/v1/transit/keys/gatehouse').wrap(place, plaintext)],
    ['KMS is not there', 'vault_kms_unavailable', () => openAws(nowhere).wrap(place, plaintext)],
    ['KMS: no such key', 'vault_kms_refused', () => openAws(aws.endpoint, 'aws-kms:arn:aws:kms:eu-west-1:111122223333:alias/other').wrap(place, plaintext)],
    ['KMS: another region', 'vault_kms_refused', () => openAws(aws.endpoint, aws.reference.replace('eu-west-1', 'us-east-1')).wrap(place, plaintext)],
  ])('%s: %s', async (_name, code, act) => {
    await expect(act()).rejects.toMatchObject({ code });
  });

  test('transit that is sealed passes', async () => {
    transit.seal(true);
    await expect(openTransit(transit).wrap(place, plaintext)).rejects.toMatchObject({ code: 'vault_kms_unavailable' });
    transit.seal(false);
  });

  test.each([
    ['AccessDeniedException', 400, 'vault_kms_refused'],
    ['DisabledException', 400, 'vault_kms_refused'],
    ['ThrottlingException', 400, 'vault_kms_unavailable'],
    ['KMSInternalException', 500, 'vault_kms_unavailable'],
    ['KeyUnavailableException', 500, 'vault_kms_unavailable'],
  ])('KMS: %s', async (name, status, code) => {
    aws.fail({ name, status });
    await expect(openAws().wrap(place, plaintext)).rejects.toMatchObject({ code });
    aws.fail(undefined);
  });

  test('no error quotes the token', async () => {
    const error: unknown = await openTransit(transit, 'hvs.other').wrap(place, plaintext).catch((thrown: unknown) => thrown);
    expect(JSON.stringify([error, String(error), (error as Error).cause])).not.toContain('hvs.other');
  });
});

describe('several root keys', () => {
  const [first, second] = [localRootKey(randomBytes(32), 'GATEHOUSE_VAULT_KEY'), localRootKey(randomBytes(32), 'GATEHOUSE_VAULT_KEY_PREVIOUS')];

  test('open what any of them wrapped', async () => {
    const rootKeys = new RootKeys(first, [second, openTransit(transit)]);
    for (const rootKey of [first, second, openTransit(transit)]) expect(await rootKeys.unwrap(place, await rootKey.wrap(place, plaintext))).toEqual(plaintext);
    await expect(rootKeys.unwrap(place, await localRootKey(randomBytes(32), 'x').wrap(place, plaintext))).rejects.toBeInstanceOf(UnsealError);
  });

  test('say that one which might open it was not reached, and do without it where another does', async () => {
    const away = openTransit(transit, token, `transit:${nowhere}/v1/transit/keys/gatehouse`);
    const rootKeys = new RootKeys(away, [second]);
    expect(await rootKeys.unwrap(place, await second.wrap(place, plaintext))).toEqual(plaintext);
    await expect(rootKeys.unwrap(place, await openTransit(transit).wrap(place, plaintext))).rejects.toMatchObject({ code: 'vault_kms_unavailable' });
  });
});

test.each([
  ['transit:https://openbao.example:8200/v1/transit/keys/gatehouse', { type: 'transit', origin: 'https://openbao.example:8200', mount: 'transit', key: 'gatehouse' }],
  ['transit:https://vault.example/v1/team/a/transit/keys/my.key-1', { type: 'transit', origin: 'https://vault.example', mount: 'team/a/transit', key: 'my.key-1' }],
  ['aws-kms:arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/gatehouse/prod', { type: 'aws-kms', keyArn: 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/gatehouse/prod', region: 'us-gov-west-1' }],
])('the reference %s', (text, reference) => {
  expect(parseKmsReference(text)).toEqual(reference);
});

test.each([
  '', 'transit', 'transit:', 'transit:https://vault.example', 'transit:https://vault.example/v1/transit/encrypt/gatehouse', 'transit:ftp://vault.example/v1/transit/keys/gatehouse',
  'transit:https://user:pass@vault.example/v1/transit/keys/gatehouse', 'transit:https://vault.example/v1/transit/keys/a?x=1', 'transit:https://vault.example/v1/transit/keys/a/b',
  'aws-kms:alias/gatehouse', 'aws-kms:arn:aws:s3:::bucket', 'gcp-kms:projects/x',
])('%j is no reference', (text) => {
  expect(parseKmsReference(text)).toBeUndefined();
});
