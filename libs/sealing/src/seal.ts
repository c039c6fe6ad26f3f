import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';
import type { KeyRing } from './key-ring.ts';

/*
 * A sealed value: format (1 byte) ‖ key term (4, big endian) ‖ nonce (12) ‖ ciphertext ‖ tag (16); AES-256-GCM.
 * Associated data: format, the caller's context parts, term, each length-prefixed, so that a value moved to another
 * row, column or workspace, or relabelled with another term, does not open (NIST SP 800-38D for nonce and tag).
 */
const format = 1;
const headerBytes = 1 + 4;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

export class UnsealError extends Error {
  readonly code = 'unseal_failed';
  readonly reason: 'malformed' | 'unknown_term' | 'not_authentic';

  constructor(reason: UnsealError['reason'], options?: ErrorOptions) {
    super(`sealed value: ${reason}`, options);
    this.reason = reason;
  }
}

/** Where a sealed value belongs, for example `[workspace, table, row id, field]`. Order matters. */
export type SealingContext = readonly string[];

/** Seals `plaintext` under the ring's active key. */
export function seal(ring: KeyRing, context: SealingContext, plaintext: Buffer | string): Buffer {
  const key = keyOf(ring, ring.activeTerm);
  const nonce = randomNonce();
  const encrypt = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
  encrypt.setAAD(associatedData(context, ring.activeTerm));
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(format, 0);
  header.writeUInt32BE(ring.activeTerm, 1);
  const body = typeof plaintext === 'string' ? encrypt.update(plaintext, 'utf8') : encrypt.update(plaintext);
  encrypt.final();
  return Buffer.concat([header, nonce, body, encrypt.getAuthTag()]);
}

/**
 * Opens what `seal` made for the same context.
 * @throws UnsealError when it is malformed, of a term the ring does not hold, or not authentic here.
 */
export function unseal(ring: KeyRing, context: SealingContext, sealed: Buffer): Buffer {
  const term = sealedTerm(sealed);
  const key = keyOf(ring, term);
  const bodyStart = headerBytes + nonceBytes;
  const tagStart = sealed.length - tagBytes;
  const decrypt = createDecipheriv(cipher, key, sealed.subarray(headerBytes, bodyStart), { authTagLength: tagBytes });
  decrypt.setAAD(associatedData(context, term));
  decrypt.setAuthTag(sealed.subarray(tagStart));
  const plaintext = decrypt.update(sealed.subarray(bodyStart, tagStart));
  try {
    decrypt.final();
  } catch (cause) {
    throw new UnsealError('not_authentic', { cause });
  }
  return plaintext;
}

/** The key term a sealed value names. Says nothing about its authenticity. */
export function sealedTerm(sealed: Buffer): number {
  if (sealed.length < headerBytes + nonceBytes + tagBytes || sealed[0] !== format) throw new UnsealError('malformed');
  return sealed.readUInt32BE(1);
}

function keyOf(ring: KeyRing, term: number): KeyObject {
  const key = ring.keys.get(term);
  if (!key) throw new UnsealError('unknown_term');
  return key;
}

function associatedData(context: SealingContext, term: number): Buffer {
  const parts = [Buffer.from([format]), ...context.map((part) => Buffer.from(part, 'utf8')), uint32(term)];
  return Buffer.concat(parts.flatMap((part) => [uint32(part.length), part]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

// Random bytes are drawn in blocks: one call to the generator per 128 nonces.
const nonces = Buffer.alloc(128 * nonceBytes);
let nextNonce = nonces.length;
function randomNonce(): Buffer {
  if (nextNonce === nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  const nonce = Buffer.from(nonces.subarray(nextNonce, nextNonce + nonceBytes));
  nextNonce += nonceBytes;
  return nonce;
}
