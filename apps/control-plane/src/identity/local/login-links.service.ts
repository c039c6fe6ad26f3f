import { GatewayError, type Problem } from '@gatehouse/errors';
import { Inject, Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { gatewayItself } from '../../vault/vault.ts';
import { type BrowserRequest, BrowserSessions } from '../browser-sessions.service.ts';
import { AgentGrants } from '../../agents-oauth/agent-grants.service.ts';
import { deleteSessions } from '../browser-sessions.store.ts';
import { People } from '../people.service.ts';
import { findPersonRow, noteLogin, type PersonRow } from '../people.store.ts';
import { hashToken, isToken, randomToken } from '../random-token.ts';
import { emailProblems, normalEmail, passwordProblems } from './local-fields.ts';
import { hasLocalAdmin, insertLocalPerson, setPassword } from './local-people.store.ts';
import { deleteFirstAdminLinks, findLoginLink, insertLoginLink, lockFirstAdmin, type LoginLink, takeLoginLink } from './login-links.store.ts';
import { mayLogInLocally } from './may-log-in-locally.ts';
import { hashPassword } from './password-hash.ts';

export interface IssuedLink {
  readonly url: string;
  readonly expiresAt: string;
}

/** Whom a link is for; the first administrator is nobody yet. */
export interface LinkedPerson {
  readonly email: string | undefined;
}

/** One-time links, whose page sets a password and logs in: for the first administrator, for who was invited, for who forgot. */
@Injectable()
export class LoginLinks {
  readonly #database: Database;
  readonly #people: People;
  readonly #sessions: BrowserSessions;
  readonly #grants: AgentGrants;
  readonly #settings: ControlPlaneSettings;

  constructor(database: Database, people: People, sessions: BrowserSessions, grants: AgentGrants, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#people = people;
    this.#sessions = sessions;
    this.#grants = grants;
    this.#settings = settings;
  }

  /** @throws GatewayError conflict where there is an administrator with a password already */
  issueForFirstAdmin(actor: ChangeAuthor): Promise<IssuedLink> {
    return this.#database.transaction(async (sql) => {
      await lockFirstAdmin(sql);
      if (await hasLocalAdmin(sql)) throw conflict('a local administrator has a password already', 'administrator_exists');
      const link = await this.issue(sql, null);
      await appendAuditEvent(sql, { actor, action: 'first-admin.invited', workspace: null, targetKind: 'Person', targetId: gatewayItself, targetName: 'first administrator', fields: [] });
      return link;
    });
  }

  /** As part of a change that leaves its own audit event. @throws GatewayError conflict where local login is switched off */
  async issue(sql: Sql, personId: string | null): Promise<IssuedLink> {
    if (!this.#settings.LOCAL_LOGIN) throw conflict('local login is switched off (GATEHOUSE_LOCAL_LOGIN)', 'local_login_off');
    const token = randomToken();
    const { expiresAt } = await insertLoginLink(sql, hashToken(token), personId);
    return { url: `${this.#settings.CONTROL_PLANE_URL}/login/link?token=${token}`, expiresAt: expiresAt.toISOString() };
  }

  /** Looks without using it up: what opens links before people do must not spend them. @throws GatewayError login_link_invalid */
  async look(token: string): Promise<LinkedPerson> {
    const { sql } = this.#database;
    const link = this.#isUsable(token) ? await findLoginLink(sql, hashToken(token)) : undefined;
    if (link === undefined || (await isOvertaken(sql, link))) throw new GatewayError('login_link_invalid');
    return { email: (await this.#personOf(sql, link))?.email ?? undefined };
  }

  /**
   * Sets the password, and logs in. Other sessions of the person end, and so does what agents were allowed: who had the old password
   * had them.
   * @returns the session's cookie.
   * @throws GatewayError login_link_invalid, validation_failed, account_disabled
   */
  async use(token: string, sent: { email: string; password: string }, request: BrowserRequest): Promise<string> {
    const { email: known } = await this.look(token);
    const email = known ?? normalEmail(sent.email);
    const problems: Problem[] = [...emailProblems(email), ...passwordProblems(sent.password, email)];
    if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
    const passwordHash = await hashPassword(sent.password);
    const sessionCookie = await this.#database.transaction(async (sql) => {
      await lockFirstAdmin(sql);
      const link = await takeLoginLink(sql, hashToken(token));
      if (link === undefined || (await isOvertaken(sql, link))) throw new GatewayError('login_link_invalid');
      const person = (await this.#personOf(sql, link)) ?? (await this.#firstAdmin(sql, email));
      if (!(await mayLogInLocally(sql, this.#people.personOf(person)))) throw new GatewayError('account_disabled', { detail: `person ${person.id}` });
      await setPassword(sql, person.id, passwordHash);
      if (await hasLocalAdmin(sql)) await deleteFirstAdminLinks(sql);
      await deleteSessions(sql, person.id);
      const { cookie } = await this.#sessions.start(sql, request, person.id);
      await noteLogin(sql, person.id);
      const actor = { name: `person:${person.id}`, displayName: person.name, attempt: undefined };
      await appendAuditEvent(sql, { actor, action: 'person.set-password', workspace: null, targetKind: 'Person', targetId: person.id, targetName: person.name, fields: ['/password'] });
      await this.#grants.revokeAllWithin(sql, person.id, actor);
      return cookie;
    });
    this.#grants.publish();
    return sessionCookie;
  }

  #isUsable(token: string): boolean {
    return this.#settings.LOCAL_LOGIN && isToken(token);
  }

  async #personOf(sql: Sql, { personId }: LoginLink): Promise<PersonRow | undefined> {
    return personId === null ? undefined : findPersonRow(sql, personId);
  }

  async #firstAdmin(sql: Sql, email: string): Promise<PersonRow> {
    const id = uuidV7();
    await insertLocalPerson(sql, { id, email, name: email.split('@', 1)[0] ?? email, roles: ['admin'] });
    return (await findPersonRow(sql, id)) as PersonRow;
  }
}

/** The first administrator came by another link, or was made by someone else. */
const isOvertaken = async (sql: Sql, { personId }: LoginLink): Promise<boolean> => personId === null && hasLocalAdmin(sql);

const conflict = (detail: string, code: string): GatewayError => new GatewayError('conflict', { problems: [{ pointer: '', detail, code }] });
