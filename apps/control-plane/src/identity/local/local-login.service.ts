import { GatewayError } from '@gatehouse/errors';
import { Inject, Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { type BrowserRequest, BrowserSessions } from '../browser-sessions.service.ts';
import { LoginLimits } from '../login/login-limits.service.ts';
import { People } from '../people.service.ts';
import type { Person } from '../person.ts';
import { noteLogin } from '../people.store.ts';
import { normalEmail } from './local-fields.ts';
import { findLocalAccount } from './local-people.store.ts';
import { mayLogInLocally } from './may-log-in-locally.ts';
import { isPassword } from './password-hash.ts';

export interface PasswordAttempt {
  readonly email: string;
  readonly password: string;
  readonly address: string;
}

/** E-mail address and password. Where people log in at a provider, it is for local administrators only. */
@Injectable()
export class LocalLogin {
  readonly #database: Database;
  readonly #people: People;
  readonly #sessions: BrowserSessions;
  readonly #limits: LoginLimits;
  readonly isOffered: boolean;

  constructor(database: Database, people: People, sessions: BrowserSessions, limits: LoginLimits, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#people = people;
    this.#sessions = sessions;
    this.#limits = limits;
    this.isOffered = settings.LOCAL_LOGIN;
  }

  /**
   * Of what was wrong nothing is told: an unknown address, one without a password and a disabled account are a wrong password,
   * and take as long.
   * @returns the session's cookie.
   * @throws GatewayError wrong_password, too_many_attempts, not_found where it is not offered
   */
  async login({ email: sent, password, address }: PasswordAttempt, request: BrowserRequest): Promise<string> {
    if (!this.isOffered) throw new GatewayError('not_found', { detail: 'local login' });
    const email = normalEmail(sent).slice(0, 320);
    const person = await this.#limits.guess({ address, account: email }, 'wrong_password', () => this.#personOf(email, password));
    return this.#database.transaction(async (transaction) => {
      const { cookie } = await this.#sessions.start(transaction, request, person.id);
      await noteLogin(transaction, person.id);
      const actor = { name: `person:${person.id}`, displayName: person.name, attempt: undefined };
      await appendAuditEvent(transaction, { actor, action: 'person.logged-in', workspace: null, targetKind: 'Person', targetId: person.id, targetName: person.name, fields: [] });
      return cookie;
    });
  }

  /** @throws GatewayError wrong_password */
  async #personOf(email: string, password: string): Promise<Person> {
    const { sql } = this.#database;
    const account = email.includes('\0') || !email.isWellFormed() ? undefined : await findLocalAccount(sql, email);
    const isRight = await isPassword(account?.passwordHash, password.slice(0, 1024));
    const person = account && this.#people.personOf(account.person);
    const isAdmitted = person !== undefined && (await mayLogInLocally(sql, person));
    if (!isRight || !isAdmitted) throw new GatewayError('wrong_password', { detail: person === undefined ? 'an unknown account' : `person ${person.id}` });
    return person;
  }
}
