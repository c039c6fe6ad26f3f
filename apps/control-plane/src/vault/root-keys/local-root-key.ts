import { keyRingOf, seal, unseal } from '@gatehouse/sealing';
import { type KeyPlace, type RootKey, sentinelPlace } from './root-key.ts';

/** The contexts of the first release, whose databases have to open. */
const contextOf = (place: KeyPlace): readonly string[] =>
  place.workspaceId === sentinelPlace.workspaceId ? ['', 'vault_sentinel', '1', 'sealed'] : [place.workspaceId, 'data_keys', String(place.term), 'wrapped'];

/** A root key that is given to the process: `GATEHOUSE_VAULT_KEY`. */
export function localRootKey(rawKey: Buffer, setting: string): RootKey {
  const ring = keyRingOf([rawKey], 'vault-root');
  return {
    // The term is a hash of the key, and tells which of two keys wrapped something.
    id: `local:${ring.activeTerm.toString(16).padStart(8, '0')}`,
    setting,
    wrap: (place, plaintext) => Promise.resolve(seal(ring, contextOf(place), plaintext)),
    // Asynchronous, so that it rejects and does not throw.
    // eslint-disable-next-line @typescript-eslint/require-await
    unwrap: async (place, wrapped) => unseal(ring, contextOf(place), wrapped),
    close: () => Promise.resolve(),
  };
}
