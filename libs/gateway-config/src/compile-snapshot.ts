import { createHmac, type KeyObject } from 'node:crypto';
import { type KeyRing, seal, unseal } from '@gatehouse/sealing';
import type { PlainSnapshotDocument, SealedDocument, UnreadableDocument } from './snapshot.ts';

/** The keys that the planes share: they seal documents and key their hashes. */
export interface SnapshotKeys {
  readonly ring: KeyRing;
  readonly hashKey: KeyObject;
}

/** Seals one resolved document for the data planes. Pure but for the nonce: the hash depends on the content only. */
export function compileDocument(keys: SnapshotKeys, document: PlainSnapshotDocument | UnreadableDocument): SealedDocument {
  const plaintext = JSON.stringify(document);
  // Keyed: an unkeyed hash in Redis would let a reader there test guesses of a weak secret.
  const hash = createHmac('sha256', keys.hashKey).update(document.id).update('\0').update(plaintext).digest('base64url');
  return { id: document.id, hash, sealed: seal(keys.ring, documentContext(document.id, hash), plaintext) };
}

/**
 * Opens a sealed document. Its context holds id and hash, so that one document cannot stand in for another, nor an older
 * version for the one the index names.
 * @throws UnsealError
 */
export function openDocument(keys: SnapshotKeys, document: SealedDocument): unknown {
  return JSON.parse(unseal(keys.ring, documentContext(document.id, document.hash), document.sealed).toString('utf8'));
}

const documentContext = (id: string, hash: string) => ['snapshot', id, hash] as const;
