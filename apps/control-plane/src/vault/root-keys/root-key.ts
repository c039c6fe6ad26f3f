/** Which data key: what a wrapped key is bound to, so that it opens nowhere else. */
export interface KeyPlace {
  readonly workspaceId: string;
  readonly term: number;
}

/** Of the sentinel, which is wrapped as a data key is; no workspace has this name, and no data key this term. */
export const sentinelPlace: KeyPlace = { workspaceId: 'sentinel', term: 0 };

/** The key above all data keys: this process's own, or one that never leaves a key management service. */
export interface RootKey {
  /** What the database and `keys list` call it; public. */
  readonly id: string;
  /** The setting it comes from, for messages. */
  readonly setting: string;
  /** @throws GatewayError vault_kms_unavailable, vault_kms_refused */
  readonly wrap: (place: KeyPlace, plaintext: Buffer) => Promise<Buffer>;
  /** @throws UnsealError where another key or for another place it was wrapped; GatewayError vault_kms_unavailable, vault_kms_refused */
  readonly unwrap: (place: KeyPlace, wrapped: Buffer) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}
