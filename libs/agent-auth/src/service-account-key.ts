import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';

/*
 * A service account's key: `gatehouse_` ‖ key id (16 hex digits, not secret, finds the account) ‖ `_` ‖ 32 random bytes in
 * base64url. 256 random bits need no slow hash: SHA-256 is stored, and compared in constant time.
 */
const shape = /^gatehouse_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

export interface IssuedKey {
  readonly key: Secret;
  readonly keyId: string;
  /** SHA-256 of the whole key, hex. */
  readonly keyHash: string;
}

/** Makes a new key. It is shown once; only its id and hash are kept. */
export function issueServiceAccountKey(): IssuedKey {
  const keyId = randomBytes(8).toString('hex');
  const key = `gatehouse_${keyId}_${randomBytes(32).toString('base64url')}`;
  return { key: new Secret(key), keyId, keyHash: digest(key).toString('hex') };
}

/** The id inside a presented key, or undefined when it is no such key. */
export function keyIdOf(presented: string): string | undefined {
  return shape.exec(presented)?.[1];
}

/** Whether a presented key is the one whose hash (hex) was kept; in constant time. */
export function matchesKeyHash(presented: string, keyHash: string): boolean {
  const expected = Buffer.from(keyHash, 'hex');
  const actual = digest(presented);
  return expected.length === actual.length && timingSafeEqual(actual, expected);
}

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
