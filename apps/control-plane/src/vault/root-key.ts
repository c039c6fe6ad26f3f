import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { type KeyRing, keyRingOf, seal, unseal } from '@gatehouse/sealing';

const wrappedContext = (workspaceId: string, term: number) => [workspaceId, 'data_keys', String(term), 'wrapped'] as const;
const sentinelContext = ['', 'vault_sentinel', '1', 'sealed'] as const;
const sentinelText = 'gatehouse vault';

/** The key above all data keys. The seam where a KMS would take its place. */
export class RootKey {
  readonly #ring: KeyRing;

  constructor(rawKey: Buffer) {
    this.#ring = keyRingOf([rawKey], 'vault-root');
  }

  /** A new random data key, wrapped. */
  makeDataKey(workspaceId: string, term: number): Buffer {
    return seal(this.#ring, wrappedContext(workspaceId, term), randomBytes(32));
  }

  /** @throws UnsealError */
  unwrap(workspaceId: string, term: number, wrapped: Buffer): KeyObject {
    return createSecretKey(unseal(this.#ring, wrappedContext(workspaceId, term), wrapped));
  }

  sealSentinel(): Buffer {
    return seal(this.#ring, sentinelContext, sentinelText);
  }

  /** @throws UnsealError */
  openSentinel(sealed: Buffer): void {
    unseal(this.#ring, sentinelContext, sealed);
  }
}
