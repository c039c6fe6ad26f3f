import { createHmac, timingSafeEqual } from 'node:crypto';
import type { BrowserRequest } from '../browser-sessions.service.ts';
import { cookieName, formatCookie, readCookie } from '../cookies.ts';
import { isToken, randomToken } from '../random-token.ts';

const cookieLifeSeconds = 12 * 3600;

/**
 * A browser that is about to log in: a random secret in a cookie of its own. What a login must keep to itself is derived from
 * it, so that the database holds nothing that could finish one, and a login that one browser began is of no use in another.
 */
export class LoginBrowser {
  readonly #secret: string;
  /** To be set with the answer. */
  readonly cookie: string;

  constructor({ headers }: BrowserRequest, isSecure: boolean) {
    const name = cookieName('gatehouse-login', isSecure);
    const known = readCookie(headers.cookie, name);
    this.#secret = isToken(known) ? known : randomToken();
    this.cookie = formatCookie(name, this.#secret, { isSecure, maxAgeSeconds: cookieLifeSeconds });
  }

  /** Of one purpose and login; 256 bits, and good as a PKCE verifier (RFC 7636 section 4.1). */
  derive(purpose: 'browser' | 'form' | 'nonce' | 'verifier', state = ''): string {
    return createHmac('sha256', this.#secret).update(`${purpose} ${state}`).digest('base64url');
  }

  /** Stands in every form: another site can have a browser send a form, and cannot know this. */
  get formToken(): string {
    return this.derive('form');
  }

  isFormToken(sent: unknown): boolean {
    const expected = Buffer.from(this.formToken);
    const given = Buffer.from(typeof sent === 'string' ? sent : '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
