import { hkdfSync } from 'node:crypto';

/** What signs the cookies of a flow: the same on every replica, and of no use for anything else. */
export const cookieKeyOf = (sharedSecret: Buffer): Buffer => Buffer.from(hkdfSync('sha256', sharedSecret, Buffer.alloc(0), 'gatehouse/oauth-cookies', 32));
