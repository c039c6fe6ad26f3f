import { createSecretKey, hkdfSync } from 'node:crypto';
import { keyRingOf } from '@gatehouse/sealing';
import type { SnapshotKeys } from './compile-snapshot.ts';

/** The document keys that derive from `SNAPSHOT_KEY` (32 bytes each; the first one seals). */
export function snapshotKeysOf(rawKeys: readonly [Buffer, ...Buffer[]]): SnapshotKeys {
  const hashKey = createSecretKey(Buffer.from(hkdfSync('sha256', rawKeys[0], Buffer.alloc(0), 'gatehouse/snapshot-hash', 32)));
  return { ring: keyRingOf(rawKeys, 'snapshot'), hashKey };
}
