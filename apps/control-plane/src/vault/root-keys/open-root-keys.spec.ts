import { randomBytes } from 'node:crypto';
import { readSettings } from '@gatehouse/service-runtime';
import { expect, test } from 'vitest';
import { controlPlaneSettings } from '../../environment.ts';
import { openRootKeys } from './open-root-keys.ts';

const key = () => randomBytes(32).toString('base64');
const transit = 'transit:https://openbao.example/v1/transit/keys/gatehouse';
const aws = 'aws-kms:arn:aws:kms:eu-west-1:111122223333:alias/gatehouse';
const { VAULT_KEY, VAULT_KEY_PREVIOUS, VAULT_KMS, VAULT_KMS_PREVIOUS, VAULT_KMS_ENDPOINT } = controlPlaneSettings;

const open = (environment: Readonly<Record<string, string>>) =>
  openRootKeys(readSettings({ VAULT_KEY, VAULT_KEY_PREVIOUS, VAULT_KMS, VAULT_KMS_PREVIOUS, VAULT_KMS_ENDPOINT }, environment), () => undefined);

// As docs/vault.md has them.
test.each<[string, Record<string, string>, string[]]>([
  ['a key', { GATEHOUSE_VAULT_KEY: key() }, ['local']],
  ['from a key to another key', { GATEHOUSE_VAULT_KEY: key(), GATEHOUSE_VAULT_KEY_PREVIOUS: key() }, ['local', 'local']],
  ['from a key to a service', { GATEHOUSE_VAULT_KMS: transit, GATEHOUSE_VAULT_KEY: key() }, ['transit', 'local']],
  ['from a service to a key', { GATEHOUSE_VAULT_KEY: key(), GATEHOUSE_VAULT_KMS_PREVIOUS: aws }, ['local', 'aws-kms']],
  ['from a service to another one', { GATEHOUSE_VAULT_KMS: aws, GATEHOUSE_VAULT_KMS_PREVIOUS: transit }, ['aws-kms', 'transit']],
])('%s', async (_name, environment, kinds) => {
  const rootKeys = await open(environment);
  expect(rootKeys.ids.map((id) => id.slice(0, id.indexOf(':')))).toEqual(kinds);
  expect(new Set(rootKeys.ids).size).toBe(kinds.length);
  expect([rootKeys.current.id, rootKeys.isBeingReplaced]).toEqual([rootKeys.ids[0], kinds.length > 1]);
  for (const value of Object.values(environment).filter((text) => !text.includes(':'))) expect(JSON.stringify(rootKeys.ids)).not.toContain(value);
  await rootKeys.close();
});

test('without any it says which setting is missing', async () => {
  await expect(open({})).rejects.toMatchObject({ code: 'invalid_setting', message: expect.stringContaining('GATEHOUSE_VAULT_KEY is required') as string });
});
