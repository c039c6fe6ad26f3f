import { GatewayError } from '@gatehouse/errors';
import { type Secret, UnsealError } from '@gatehouse/sealing';
import { type KmsFetch, openKmsFetch } from './kms-fetch.ts';
import type { TransitReference } from './kms-reference.ts';
import type { KeyPlace, RootKey } from './root-key.ts';

/** In front of what this kind of root key wrapped; a local one's begins with the format of sealed values, 1. */
const format = 2;

export interface TransitOptions {
  readonly setting: string;
  /** Asked for with every call: an agent beside us may write a new one to the file at any time. */
  readonly token: () => Secret | undefined;
}

/** A root key in the transit engine of HashiCorp Vault or OpenBao, over HTTP. It needs `update` on its `encrypt` and `decrypt`. */
export function transitRootKey(reference: TransitReference, options: TransitOptions, { fetch, close }: KmsFetch = openKmsFetch()): RootKey {
  const { origin, mount, key } = reference;
  const id = `transit:${origin}/v1/${mount}/keys/${key}`;

  const call = async (operation: 'encrypt' | 'decrypt', place: KeyPlace, fields: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> => {
    // A derived key takes the context, and one that is not ignores it: the associated data binds in either case.
    const context = Buffer.from(JSON.stringify(['gatehouse', place.workspaceId, place.term])).toString('base64');
    const token = options.token();
    const response = await fetch(`${origin}/v1/${mount}/${operation}/${key}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Vault-Request': 'true', ...(token && { 'X-Vault-Token': token.reveal() }) },
      body: JSON.stringify({ ...fields, context, associated_data: context }),
    }).catch((cause: unknown) => {
      throw failure(cause instanceof GatewayError && cause.code === 'upstream_address_refused' ? 'vault_kms_refused' : 'vault_kms_unavailable', id, cause);
    });
    const body = await response.text().catch((cause: unknown) => {
      throw failure('vault_kms_unavailable', id, cause);
    });
    if (response.status !== 200) throw refusal(operation, response.status, id);
    return dataOf(body, id);
  };

  return {
    id,
    setting: options.setting,
    wrap: async (place, plaintext) => {
      const { ciphertext } = await call('encrypt', place, { plaintext: plaintext.toString('base64') });
      if (typeof ciphertext !== 'string') throw failure('vault_kms_refused', `${id}: an answer without ciphertext`);
      return Buffer.concat([Buffer.from([format]), Buffer.from(ciphertext, 'utf8')]);
    },
    unwrap: async (place, wrapped) => {
      if (wrapped[0] !== format) throw new UnsealError('malformed');
      const { plaintext } = await call('decrypt', place, { ciphertext: wrapped.subarray(1).toString('utf8') });
      if (typeof plaintext !== 'string') throw failure('vault_kms_refused', `${id}: an answer without plaintext`);
      return Buffer.from(plaintext, 'base64');
    },
    close,
  };
}

const failure = (code: 'vault_kms_unavailable' | 'vault_kms_refused', detail: string, cause?: unknown): GatewayError => new GatewayError(code, { detail, cause });

/**
 * 400: the request is not one it can carry out, which of a decryption means that the key is another one or not there, or that what
 * was wrapped is not authentic here. 403 and 404: token, policy or path. Anything else passes: sealed (503), standby (429, 472, 473).
 */
function refusal(operation: 'encrypt' | 'decrypt', status: number, id: string): Error {
  if (status === 400 && operation === 'decrypt') return new UnsealError('not_authentic', { cause: new Error(`${id} answered 400`) });
  return failure([400, 401, 403, 404, 405].includes(status) ? 'vault_kms_refused' : 'vault_kms_unavailable', `${id} answered ${status}`);
}

function dataOf(body: string, id: string): Readonly<Record<string, unknown>> {
  try {
    const { data } = JSON.parse(body) as { data?: unknown };
    if (typeof data === 'object' && data !== null) return data as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw failure('vault_kms_unavailable', `${id}: an answer that is not transit's`);
}
