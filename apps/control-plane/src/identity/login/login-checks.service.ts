import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { AgentGrants } from '../../agents-oauth/agent-grants.service.ts';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import type { ChangeAuthor } from '../../http/actor.ts';
import { deleteSession, deleteSessions } from '../browser-sessions.store.ts';
import { findPersonRow, type PersonRow, type ProvidedAttributes, putProvidedPerson } from '../people.store.ts';
import { type CheckState, type CheckTerms, claimCheck, type Claimed, listLogins, type Login, noteAnswer, noteSilence, readCheckState } from './login-checks.store.ts';
import { deleteProviderTokens } from './provider-tokens.store.ts';
import { ProviderWord } from './provider-word.service.ts';

export type LoginCheck =
  /** Nothing has changed. */
  | 'current'
  /** The provider was asked: the person, or what they had allowed, may be another by now, or gone. */
  | 'asked'
  /** Not now, and its last word is too old. */
  | 'unavailable';

/** Longer than one login takes to be asked about; should it take longer, the tokens are still refreshed only once. */
const leaseSeconds = 30;
const patienceMs = 12_000;
const lookMs = 150;
/** How long a provider that did not answer is left alone about a person. */
const pauseSeconds = 60;

/**
 * Whether the provider still stands by who logged in there. Agents go on for months after a login; somebody who is removed there, or
 * taken out of a group, is not to.
 */
@Injectable()
export class LoginChecks {
  readonly #database: Database;
  readonly #word: ProviderWord;
  readonly #grants: AgentGrants;
  readonly #terms: CheckTerms;

  constructor(database: Database, word: ProviderWord, grants: AgentGrants, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#word = word;
    this.#grants = grants;
    this.#terms = { checkSeconds: settings.PROVIDER_CHECK_SECONDS, graceSeconds: settings.PROVIDER_CHECK_GRACE_SECONDS };
  }

  /** Asks, where the last answer is too old: of all who want to know, at all replicas, one does. @throws GatewayError database_unavailable */
  async check(personId: string): Promise<LoginCheck> {
    const deadline = performance.now() + patienceMs;
    for (let hasWaited = false; ; hasWaited = true) {
      const state = await readCheckState(this.#database.sql, personId, this.#terms);
      if (!state?.isDue || (state.isPausing && state.isTolerated)) return hasWaited ? 'asked' : 'current';
      const claimed = { personId, askedBy: randomUUID() };
      if (!state.isBeingAsked && (await claimCheck(this.#database.sql, claimed, this.#terms.checkSeconds, leaseSeconds))) return this.#ask(claimed, state);
      if (performance.now() > deadline) return state.isTolerated ? 'asked' : 'unavailable';
      await delay(lookMs * (0.75 + Math.random() / 2));
    }
  }

  /** The newest login first: where the provider stands by one of them it stands by the person. */
  async #ask(claimed: Claimed, { isTolerated, isLoginRecent }: CheckState): Promise<LoginCheck> {
    const { sql } = this.#database;
    const person = await findPersonRow(sql, claimed.personId);
    if (!person) return 'asked';
    const refused: Login[] = [];
    let isAway = false;
    for (const login of await listLogins(sql, person.id)) {
      const word = await this.#word.about(person, login, !isTolerated);
      if (word.result === 'confirmed' && (word.isWhole || isLoginRecent)) {
        await this.#confirm(person, word.attributes, refused, claimed);
        return 'asked';
      }
      if (word.result === 'refused') refused.push(login);
      isAway ||= word.result === 'unavailable';
    }
    const isOver = !isAway && (refused.length > 0 || !isLoginRecent);
    await this.#change(person, async (within) => {
      if (isOver) await this.#endEverything(within, person);
      else await this.#endLogins(within, person, refused);
      await noteSilence(within, claimed, isOver ? 0 : pauseSeconds);
    });
    return isAway && !isTolerated ? 'unavailable' : 'asked';
  }

  #confirm(person: PersonRow, attributes: ProvidedAttributes, refused: readonly Login[], claimed: Claimed): Promise<void> {
    const { id, provider, issuer, subject } = person;
    return this.#change(person, async (sql) => {
      await putProvidedPerson(sql, id, { provider, issuer, subject }, attributes);
      await this.#endLogins(sql, person, refused);
      await noteAnswer(sql, claimed);
    });
  }

  /** Someone who was deleted meanwhile stays so. */
  async #change({ id }: PersonRow, run: (sql: Sql) => Promise<void>): Promise<void> {
    await this.#database.transaction(async (sql) => {
      if (await findPersonRow(sql, id, true)) await run(sql);
    });
    this.#grants.publish();
  }

  /** The session, what the provider gave, and what was allowed in it. */
  async #endLogins(sql: Sql, person: PersonRow, logins: readonly Login[]): Promise<void> {
    for (const { sessionId } of logins) {
      await deleteSession(sql, person.id, sessionId);
      await deleteProviderTokens(sql, person.id, sessionId);
      await this.#grants.revokeOfSession(sql, person.id, sessionId);
      await auditEnd(sql, person, 'person.login-ended');
    }
  }

  async #endEverything(sql: Sql, person: PersonRow): Promise<void> {
    await deleteSessions(sql, person.id);
    await deleteProviderTokens(sql, person.id);
    await this.#grants.revokeAllWithin(sql, person.id, providerActor(person));
    await auditEnd(sql, person, 'person.logged-out');
  }
}

const providerActor = ({ provider }: PersonRow): ChangeAuthor => ({ name: `identity-provider:${provider}`, attempt: undefined });

const auditEnd = (sql: Sql, person: PersonRow, action: string): Promise<void> =>
  appendAuditEvent(sql, { actor: providerActor(person), action, workspace: null, targetKind: 'Person', targetId: person.id, targetName: person.name, fields: [] });
