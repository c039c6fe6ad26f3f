import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits as text. */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** What is stored in a token's place. A random one needs no slow hash. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();

/** Whether a text could be a token at all. */
export const isToken = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
