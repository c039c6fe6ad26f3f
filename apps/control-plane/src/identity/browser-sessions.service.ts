import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { deleteSessionOfToken, findSession, forgetDeadSessions, insertSession, sessionLife, touchSession } from './browser-sessions.store.ts';
import { cookieName, formatCookie, readCookie } from './cookies.ts';
import { auditSession } from './end-sessions.ts';
import { People } from './people.service.ts';
import { findPersonRow } from './people.store.ts';
import type { Person } from './person.ts';
import { hashToken, isToken, randomToken } from './random-token.ts';
import { returnPath } from './return-path.ts';

/** Of any HTTP library's request. */
export interface BrowserRequest {
  readonly headers: { readonly cookie?: string | undefined };
}

export interface BrowserSession {
  readonly sessionId: string;
  readonly person: Person;
  readonly authenticatedAt: Date;
}

export interface LoginOptions {
  /** The name of the one to log in at. Someone who is logged in elsewhere logs in again. */
  readonly identityProvider?: string;
  /** Log in again, whoever is logged in: `asked` lets the provider ask who it is now, `proven` also has it prove that it did. */
  readonly fresh?: 'asked' | 'proven' | undefined;
}

/** Who a browser belongs to. The cookie is a random token; the database knows its hash. */
@Injectable()
export class BrowserSessions {
  readonly #database: Database;
  readonly #people: People;
  readonly #isSecure: boolean;
  readonly #cookie: string;

  constructor(database: Database, people: People, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#people = people;
    this.#isSecure = settings.CONTROL_PLANE_URL.startsWith('https:');
    this.#cookie = cookieName('gatehouse', this.#isSecure);
  }

  /** The session a request comes with, as long as it is alive and its person may log in. */
  async current(request: BrowserRequest): Promise<BrowserSession | undefined> {
    const token = this.#tokenOf(request);
    if (token === undefined) return undefined;
    const { sql } = this.#database;
    const session = await findSession(sql, hashToken(token));
    if (session === undefined) return undefined;
    const person = this.#people.personOf(session.person);
    if (person.disabled) return undefined;
    if (session.isStale) await touchSession(sql, session.sessionId);
    return { sessionId: session.sessionId, person, authenticatedAt: session.authenticatedAt };
  }

  /** Where to send a browser so that it is logged in and comes back to `returnTo`, a path of ours. */
  loginPath(returnTo: string, { identityProvider, fresh }: LoginOptions = {}): string {
    const query = new URLSearchParams({
      return_to: returnPath(returnTo),
      ...(identityProvider !== undefined && { identity_provider: identityProvider }),
      ...(fresh !== undefined && { fresh }),
    });
    return `/login?${query.toString()}`;
  }

  /**
   * A new session, never one the browser came with: whoever knew that one knows nothing of this (session fixation).
   * @returns its id, and the cookie to set.
   */
  async start(sql: Sql, request: BrowserRequest, personId: string): Promise<{ sessionId: string; cookie: string }> {
    await this.#delete(sql, request);
    await forgetDeadSessions(sql);
    const token = randomToken();
    const sessionId = uuidV7();
    await insertSession(sql, { id: sessionId, personId, tokenHash: hashToken(token) });
    return { sessionId, cookie: this.#format(token, sessionLife.absoluteSeconds) };
  }

  /** As its owner wants it. @returns the cookie that removes the browser's. */
  async end(sql: Sql, request: BrowserRequest): Promise<string> {
    const ended = await this.#delete(sql, request);
    const owner = ended && (await findPersonRow(sql, ended.personId));
    if (ended && owner) await auditSession(sql, owner, { name: `person:${owner.id}`, displayName: owner.name, attempt: undefined });
    return this.#format('', 0);
  }

  async #delete(sql: Sql, request: BrowserRequest): Promise<{ id: string; personId: string } | undefined> {
    const token = this.#tokenOf(request);
    return token === undefined ? undefined : deleteSessionOfToken(sql, hashToken(token));
  }

  #tokenOf({ headers }: BrowserRequest): string | undefined {
    const token = readCookie(headers.cookie, this.#cookie);
    return isToken(token) ? token : undefined;
  }

  #format(value: string, maxAgeSeconds: number): string {
    return formatCookie(this.#cookie, value, { isSecure: this.#isSecure, maxAgeSeconds });
  }
}
