import type { Secret } from '@gatehouse/sealing';
import { InvalidSettingsError } from '@gatehouse/service-runtime';
import type { ControlPlaneSettings } from '../../environment.ts';
import type { KmsReference } from './kms-reference.ts';
import { localRootKey } from './local-root-key.ts';
import type { RootKey } from './root-key.ts';
import { RootKeys } from './root-keys.ts';
import { transitRootKey } from './transit-root-key.ts';

type Settings = Pick<ControlPlaneSettings, 'VAULT_KEY' | 'VAULT_KEY_PREVIOUS' | 'VAULT_KMS' | 'VAULT_KMS_PREVIOUS' | 'VAULT_KMS_ENDPOINT'>;

/**
 * The root keys of the settings. A key management service goes before a key of one's own: what that one wrapped opens, and is
 * wrapped anew.
 * @throws InvalidSettingsError where there is none
 */
export async function openRootKeys(settings: Settings, token: () => Secret | undefined): Promise<RootKeys> {
  const { VAULT_KEY, VAULT_KEY_PREVIOUS, VAULT_KMS, VAULT_KMS_PREVIOUS, VAULT_KMS_ENDPOINT: endpoint } = settings;
  const keys: RootKey[] = [];
  if (VAULT_KMS) keys.push(await kmsRootKey(VAULT_KMS, { setting: 'GATEHOUSE_VAULT_KMS', token, endpoint }));
  if (VAULT_KEY) keys.push(localRootKey(VAULT_KEY, 'GATEHOUSE_VAULT_KEY'));
  const [current, ...others] = keys;
  if (!current) throw new InvalidSettingsError('GATEHOUSE_VAULT_KEY is required, or GATEHOUSE_VAULT_KMS instead of it');
  const previous = VAULT_KEY_PREVIOUS.map((key) => localRootKey(key, 'GATEHOUSE_VAULT_KEY_PREVIOUS'));
  if (VAULT_KMS_PREVIOUS) previous.push(await kmsRootKey(VAULT_KMS_PREVIOUS, { setting: 'GATEHOUSE_VAULT_KMS_PREVIOUS', token, endpoint }));
  return new RootKeys(current, [...others, ...previous]);
}

interface KmsOptions {
  readonly setting: string;
  readonly token: () => Secret | undefined;
  readonly endpoint: string | undefined;
}

async function kmsRootKey(reference: KmsReference, options: KmsOptions): Promise<RootKey> {
  if (reference.type === 'transit') return transitRootKey(reference, options);
  // The client is large, and most deployments never load it.
  const { awsKmsRootKey } = await import('./aws-kms-root-key.ts');
  return awsKmsRootKey(reference, options);
}
