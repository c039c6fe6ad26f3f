import { randomFillSync } from 'node:crypto';

/** Random ids as hexadecimal digits. Randomness comes in pieces of this size: to ask for each id costs more than the span. */
const pool = Buffer.alloc(8_192);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString('hex', used, used + bytes);
  used += bytes;
  return text;
}

/** All zeros would be none (W3C Trace Context section 3.2.2): as likely as to guess a key. */
export const newTraceId = (): string => randomHex(16);
export const newSpanId = (): string => randomHex(8);
