import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** Keys by term (an unsigned 32-bit number); `activeTerm` is the one that seals. Immutable. */
export interface KeyRing {
  readonly activeTerm: number;
  readonly keys: ReadonlyMap<number, KeyObject>;
}

export class WeakKeyError extends Error {
  readonly code = 'weak_key';
}

const keyBytes = 32;

/**
 * Reads a 256-bit key from base64, base64url or hexadecimal text.
 * @throws WeakKeyError when it is not 32 bytes, or plainly not random (CVE-2026-53709: default and weak secrets).
 */
export function parseKey(text: string): Buffer {
  const trimmed = text.trim();
  const bytes = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64');
  if (bytes.length !== keyBytes) {
    throw new WeakKeyError(`needs 32 random bytes in base64 or hex (openssl rand -base64 32); got ${bytes.length} bytes`);
  }
  // 32 random bytes have fewer than 16 distinct values with probability below 10⁻¹⁵.
  if (new Set(bytes).size < 16) throw new WeakKeyError('is not random; make one with: openssl rand -base64 32');
  return bytes;
}

/** A ring of one or more raw keys, the first active. The term is derived from the key, so that all holders agree on it. */
export function keyRingOf(rawKeys: readonly Buffer[], purpose: string): KeyRing {
  const [first] = rawKeys;
  if (!first) throw new WeakKeyError('needs at least one key');
  const derived = rawKeys.map((raw) => Buffer.from(hkdfSync('sha256', raw, Buffer.alloc(0), `gatehouse/${purpose}`, keyBytes)));
  const keys = new Map(derived.map((key) => [termOf(key), createSecretKey(key)] as const));
  return { activeTerm: termOf(derived[0] as Buffer), keys };
}

function termOf(key: Buffer): number {
  return createHash('sha256').update('gatehouse/term').update(key).digest().readUInt32BE(0);
}
