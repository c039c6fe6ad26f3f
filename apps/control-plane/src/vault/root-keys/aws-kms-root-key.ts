import { DecryptCommand, EncryptCommand, KMSClient, KMSServiceException } from '@aws-sdk/client-kms';
import { GatewayError } from '@gatehouse/errors';
import { UnsealError } from '@gatehouse/sealing';
import { type KmsFetch, openKmsFetch } from './kms-fetch.ts';
import type { AwsKmsReference } from './kms-reference.ts';
import { kmsRequestHandler } from './kms-request-handler.ts';
import type { KeyPlace, RootKey } from './root-key.ts';

/** In front of what this kind of root key wrapped. */
const format = 3;

export interface AwsKmsOptions {
  readonly setting: string;
  /** Instead of the region's public one: a VPC endpoint. */
  readonly endpoint: string | undefined;
}

/** Shown in CloudTrail, and available to the key's policy as `kms:EncryptionContext:workspace`. */
const encryptionContext = ({ workspaceId, term }: KeyPlace): Record<string, string> => ({ service: 'gatehouse', workspace: workspaceId, term: String(term) });

/** A symmetric root key in AWS KMS. Credentials are the process's own, found as every AWS client finds them. It needs kms:Encrypt and kms:Decrypt. */
export function awsKmsRootKey({ keyArn, region }: AwsKmsReference, { setting, endpoint }: AwsKmsOptions, { fetch, close }: KmsFetch = openKmsFetch()): RootKey {
  const client = new KMSClient({ region, ...(endpoint !== undefined && { endpoint }), requestHandler: kmsRequestHandler(fetch), maxAttempts: 2 });
  const id = `aws-kms:${keyArn}`;
  return {
    id,
    setting,
    wrap: async (place, plaintext) => {
      const command = new EncryptCommand({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: encryptionContext(place) });
      const { CiphertextBlob } = await client.send(command).catch((error: unknown) => {
        throw asFailure(error, id);
      });
      if (CiphertextBlob === undefined) throw new GatewayError('vault_kms_refused', { detail: `${id}: an answer without ciphertext` });
      return Buffer.concat([Buffer.from([format]), CiphertextBlob]);
    },
    unwrap: async (place, wrapped) => {
      if (wrapped[0] !== format) throw new UnsealError('malformed');
      // KeyId: only this key may open it, and not whichever the ciphertext names.
      const command = new DecryptCommand({ KeyId: keyArn, CiphertextBlob: wrapped.subarray(1), EncryptionContext: encryptionContext(place) });
      const { Plaintext } = await client.send(command).catch((error: unknown) => {
        throw asFailure(error, id);
      });
      if (Plaintext === undefined) throw new GatewayError('vault_kms_refused', { detail: `${id}: an answer without plaintext` });
      return Buffer.from(Plaintext);
    },
    close: async () => {
      client.destroy();
      await close();
    },
  };
}

/** Of another key, of another context, or changed. */
const notAuthentic = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
/** Of the service's refusals, those that pass by themselves. */
const passing = new Set(['ThrottlingException', 'LimitExceededException', 'KeyUnavailableException', 'DependencyTimeoutException', 'KMSInternalException', 'RequestTimeTooSkewed']);

function asFailure(error: unknown, id: string): Error {
  if (error instanceof KMSServiceException) {
    if (notAuthentic.has(error.name)) return new UnsealError('not_authentic', { cause: error });
    const isRefusal = error.$fault === 'client' && !passing.has(error.name);
    return new GatewayError(isRefusal ? 'vault_kms_refused' : 'vault_kms_unavailable', { detail: `${id}: ${error.name}`, cause: error });
  }
  const isRefusal = error instanceof Error && (error.name === 'CredentialsProviderError' || (error instanceof GatewayError && error.code === 'upstream_address_refused'));
  return new GatewayError(isRefusal ? 'vault_kms_refused' : 'vault_kms_unavailable', { detail: `${id}: ${error instanceof Error ? error.name : 'no answer'}`, cause: error });
}
