import { GatewayError } from '@gatehouse/errors';
import { revocationsId } from '@gatehouse/gateway-config';
import { Injectable } from '@nestjs/common';
import { AgentGrants } from '../../agents-oauth/agent-grants.service.ts';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { auditEnded } from '../../connections/disconnect/audit-ended.ts';
import { Disconnections } from '../../connections/disconnect/disconnections.service.ts';
import { insertTokenRevocations } from '../../connections/disconnect/token-revocations.store.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { isUuid, uuidV7 } from '../../database/uuid-v7.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { entityTag, requireMatch } from '../../http/entity-tag.ts';
import { type Page, pageOf, type PageQuery } from '../../http/page.ts';
import { parseDocument } from '../../http/parse-document.ts';
import { takeRevision } from '../../snapshots/revisions.store.ts';
import { deleteSessions, listSessions } from '../browser-sessions.store.ts';
import { endSession } from '../end-sessions.ts';
import { emailProblems, normalEmail } from '../local/local-fields.ts';
import { insertLocalPerson } from '../local/local-people.store.ts';
import { type IssuedLink, LoginLinks } from '../local/login-links.service.ts';
import { deleteProviderTokens } from '../login/provider-tokens.store.ts';
import { People } from '../people.service.ts';
import { changePerson, deletePerson, findPersonRow, listPeople, type PersonRow } from '../people.store.ts';
import { localProvider } from '../person.ts';
import { presentSession, presentUser } from './present-user.ts';
import { type InvitedUser, newLocalUser, type ReadableSession, type ReadableUser, userChange } from './user.dto.ts';

export interface TaggedUser {
  readonly user: ReadableUser;
  readonly etag: string;
}

/** People as administrators manage them. */
@Injectable()
export class Users {
  readonly #database: Database;
  readonly #people: People;
  readonly #links: LoginLinks;
  readonly #grants: AgentGrants;
  readonly #disconnections: Disconnections;

  constructor(database: Database, people: People, links: LoginLinks, grants: AgentGrants, disconnections: Disconnections) {
    this.#database = database;
    this.#people = people;
    this.#links = links;
    this.#grants = grants;
    this.#disconnections = disconnections;
  }

  async list({ after, limit }: PageQuery): Promise<Page<ReadableUser>> {
    return pageOf(await listPeople(this.#database.sql, after, limit + 1), limit, ({ id }) => id, (row) => this.#present(row));
  }

  async read(id: string): Promise<TaggedUser> {
    return this.#tagged(await findUser(this.#database.sql, id));
  }

  /** A local account, whose password its owner sets by the link. */
  async invite(body: unknown, actor: ChangeAuthor): Promise<InvitedUser> {
    const { email: sent, name, assignedRoles = [] } = parseDocument(newLocalUser, body);
    const email = normalEmail(sent);
    const problems = emailProblems(email);
    if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
    return this.#database.transaction(async (sql) => {
      const id = uuidV7();
      await insertLocalPerson(sql, { id, email, name: name ?? email.split('@', 1)[0] ?? email, roles: assignedRoles });
      const row = await findUser(sql, id);
      const loginLink = await this.#links.issue(sql, id);
      await audit(sql, 'person.invited', row, ['/assignedRoles', '/email', '/name'], actor);
      return { ...this.#present(row), loginLink };
    });
  }

  /** For who has forgotten the password. @throws GatewayError conflict for people of a provider */
  issueLink(id: string, actor: ChangeAuthor): Promise<IssuedLink> {
    return this.#database.transaction(async (sql) => {
      const row = await findUser(sql, id, true);
      if (row.provider !== localProvider) throw new GatewayError('conflict', { problems: [{ pointer: '', detail: 'logs in at an identity provider', code: 'not_local' }] });
      const link = await this.#links.issue(sql, id);
      await audit(sql, 'person.link-issued', row, [], actor);
      return link;
    });
  }

  /** Who is disabled is out at once: browsers, agents, what the provider gave, tokens of their connections on data planes. */
  async change(id: string, body: unknown, ifMatch: string | undefined, actor: ChangeAuthor): Promise<TaggedUser> {
    const change = parseDocument(userChange, body);
    const changed = await this.#database.transaction(async (sql) => {
      const before = await findUser(sql, id, true);
      requireMatch(ifMatch, versionOf(before));
      const disabled = change.disabled ?? before.disabled;
      const assignedRoles = change.assignedRoles ?? before.assignedRoles;
      const fields = [
        ...(String([...assignedRoles].sort()) === String([...before.assignedRoles].sort()) ? [] : ['/assignedRoles']),
        ...(disabled === before.disabled ? [] : ['/disabled']),
      ];
      if (fields.length === 0) return before;
      await changePerson(sql, id, { disabled, assignedRoles });
      if (disabled) await this.#endEverything(sql, id, actor);
      if (disabled) await forgetTokens(sql, id);
      await audit(sql, 'person.changed', before, fields, actor);
      return findUser(sql, id);
    });
    this.#grants.publish();
    return this.#tagged(changed);
  }

  async sessions(id: string): Promise<ReadableSession[]> {
    const { sql } = this.#database;
    await findUser(sql, id);
    return (await listSessions(sql, id)).map((row) => presentSession(row));
  }

  /** Logs someone out everywhere: browsers, and every agent they connected. */
  async logOut(id: string, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const row = await findUser(sql, id, true);
      await this.#endEverything(sql, id, actor);
      await audit(sql, 'person.logged-out', row, [], actor);
    });
    this.#grants.publish();
  }

  /** One browser; agents go on. @throws GatewayError not_found */
  async endSession(id: string, sessionId: string, actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction(async (sql) => endSession(sql, await findUser(sql, id), sessionId, actor));
  }

  /** In one transaction: where it is stopped half way, nobody is half logged out. */
  async #endEverything(sql: Sql, id: string, actor: ChangeAuthor): Promise<void> {
    await endSessions(sql, id);
    await this.#grants.revokeAllWithin(sql, id, withoutAttempt(actor));
  }

  /** Someone who is not to be known any more, with what is theirs: connections, agents, browsers. Who logs in again is someone new. */
  async delete(id: string, ifMatch: string | undefined, actor: ChangeAuthor): Promise<void> {
    requireMatch(ifMatch, versionOf(await findUser(this.#database.sql, id)));
    const theirs = { person: id, kinds: 'all' } as const;
    const clients = await this.#disconnections.prepare(theirs);
    await this.#database.transaction(async (sql) => {
      const row = await findUser(sql, id, true);
      requireMatch(ifMatch, versionOf(row));
      const ended = await this.#disconnections.end(sql, theirs, clients);
      await this.#endEverything(sql, id, actor);
      // Values that they entered go with them.
      await forgetTokens(sql, id);
      await deletePerson(sql, id);
      await auditEnded(sql, ended, 'person-deleted', actor);
      await audit(sql, 'person.deleted', row, [], actor);
    });
    this.#disconnections.finish();
  }

  #present(row: PersonRow): ReadableUser {
    return presentUser(row, this.#people.personOf(row));
  }

  #tagged(row: PersonRow): TaggedUser {
    return { user: this.#present(row), etag: entityTag(versionOf(row)) };
  }
}

/** Not the time of the last change: every login is one. */
const versionOf = ({ revision, createdAt }: PersonRow) => ({ revision, updatedAt: createdAt });

/** An attempt has one audit event, and the change has left it. */
const withoutAttempt = (actor: ChangeAuthor): ChangeAuthor => ({ ...actor, attempt: undefined });

async function endSessions(sql: Sql, id: string): Promise<void> {
  await deleteSessions(sql, id);
  await deleteProviderTokens(sql, id);
}

/** Connections stay, for when they are back. Until then data planes use no token of theirs that they have already: not every caller's agent has a grant that ends. */
async function forgetTokens(sql: Sql, id: string): Promise<void> {
  await insertTokenRevocations(sql, [id]);
  await takeRevision(sql, [revocationsId]);
}

/** @throws GatewayError not_found */
export async function findUser(sql: Sql, id: string, lock = false): Promise<PersonRow> {
  const row = isUuid(id) ? await findPersonRow(sql, id, lock) : undefined;
  if (row === undefined) throw new GatewayError('not_found', { detail: 'user' });
  return row;
}

const audit = (sql: Sql, action: string, { id, name }: PersonRow, fields: readonly string[], actor: ChangeAuthor): Promise<void> =>
  appendAuditEvent(sql, { actor, action, workspace: null, targetKind: 'Person', targetId: id, targetName: name, fields });
