import { authorizationServerId, identityKeysId } from '@gatehouse/gateway-config';

/** What keys sign. Keys of one use never sign for another, nor rest or travel beside them. */
export interface SigningKeyUse {
  readonly table: 'oauth_signing_keys' | 'identity_signing_keys';
  /** The snapshot's document that data planes know them by. */
  readonly document: string;
  readonly rotated: 'signing-keys.rotated' | 'identity-keys.rotated';
}

/** Agents' access tokens. Data planes get the public halves. */
export const accessTokenKeys: SigningKeyUse = { table: 'oauth_signing_keys', document: authorizationServerId, rotated: 'signing-keys.rotated' };

/** Callers' identities, for upstreams: data planes sign them. */
export const identityKeys: SigningKeyUse = { table: 'identity_signing_keys', document: identityKeysId, rotated: 'identity-keys.rotated' };
