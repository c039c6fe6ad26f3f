import { createHash } from 'node:crypto';
import { brokerPatienceMs, type ConnectReason, type TokenAnswer, type TokenRequest } from '@gatehouse/access-tokens';
import type { Secret } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { Metrics } from '../../health/metrics.ts';
import { People } from '../../identity/people.service.ts';
import { ConnectLinks } from '../connect-links.service.ts';
import { noteUse, type SealedConnection } from '../connections.store.ts';
import { ConnectionRefresher, type RefreshOutcome } from '../refresh/connection-refresher.ts';
import { TokenSeals } from '../token-seals.ts';
import { CallerIssuers } from './caller-issuers.service.ts';
import { CredentialBroker } from './credential-broker.service.ts';
import { findSubject, type FoundSubject, type TokenLookup } from './find-subject.store.ts';
import { isOutdated } from './is-outdated.ts';
import { LoginBroker } from './login-broker.service.ts';

/** Whose connection it has to be, and of what. */
interface Wanted {
  readonly lookup: TokenLookup;
  readonly ownerKind: 'app' | 'server';
  readonly ownerId: string;
  /** Undefined: the organisation's. */
  readonly personId: string | undefined;
}

/** A token with less left than this may expire on its way. */
const enoughMs = 5_000;

/** Gives data planes the access token of a connection, of a login or a credential, or says what is in its way. Never another person's, and never the organisation's for a person's. */
@Injectable()
export class TokenBroker {
  readonly #database: Database;
  readonly #people: People;
  readonly #issuers: CallerIssuers;
  readonly #credentials: CredentialBroker;
  readonly #logins: LoginBroker;
  readonly #seals: TokenSeals;
  readonly #refresher: ConnectionRefresher;
  readonly #links: ConnectLinks;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  /** What is being looked up: many calls of one person begin at once. */
  readonly #lookups = new Map<string, Promise<FoundSubject | undefined>>();

  constructor(
    database: Database, people: People, issuers: CallerIssuers, credentials: CredentialBroker, logins: LoginBroker, seals: TokenSeals, refresher: ConnectionRefresher, links: ConnectLinks, metrics: Metrics, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#people = people;
    this.#issuers = issuers;
    this.#credentials = credentials;
    this.#logins = logins;
    this.#seals = seals;
    this.#refresher = refresher;
    this.#links = links;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** @throws GatewayError database_unavailable, vault_sealed_value_unreadable */
  async answer(request: TokenRequest): Promise<TokenAnswer> {
    const answer = await this.#answer(request);
    this.#metrics.brokerAnswers.inc({ status: answer.status });
    return answer;
  }

  async #answer(request: TokenRequest): Promise<TokenAnswer> {
    if (request.credential !== undefined) return this.#credentials.answer(request, request.credential);
    if (request.login !== undefined) return this.#logins.answer(request, request.login);
    const found = await this.#find(request);
    if (!found) return { status: 'misconfigured' };
    if (isOutdated(request, found.lookup.upstream)) return { status: 'outdated' };
    const wanted = this.#wanted(found.lookup, request);
    if (typeof wanted === 'string') return { status: wanted };
    const refusal = await this.#issuers.refusalOf(found.lookup.agentAuth, request.subject);
    if (refusal !== undefined) return { status: refusal };
    const { connection } = found;
    if (!connection) return this.#connect(wanted, 'connect_required', 'not_connected', []);
    const missing = [...(wanted.lookup.appAuth.scopes ?? []), ...(request.missing ?? [])].filter((scope) => !connection.scopes.includes(scope));
    if (missing.length > 0) return this.#connect(wanted, 'connect_required', 'scopes', missing);
    return this.#tokenOf(wanted, connection, request);
  }

  #find({ server, subject }: TokenRequest): Promise<FoundSubject | undefined> {
    const key = JSON.stringify([server, subject]);
    const running = this.#lookups.get(key);
    if (running) return running;
    const lookup = findSubject(this.#database.sql, server, subject).finally(() => this.#lookups.delete(key));
    this.#lookups.set(key, lookup);
    return lookup;
  }

  /** Whose tokens they are is the document's to say: who asks for others does not get these. */
  #wanted(lookup: TokenLookup, { subject }: TokenRequest): Wanted | 'misconfigured' | 'no_person' {
    const { appAuth, appId, person, serverId } = lookup;
    if (appAuth.type !== 'oauth-authorization-code' || (appAuth.shared === true) !== (subject === 'shared')) return 'misconfigured';
    const owner = appAuth.discover === true ? ({ ownerKind: 'server', ownerId: serverId } as const) : appId === null ? undefined : ({ ownerKind: 'app', ownerId: appId } as const);
    if (!owner) return 'misconfigured';
    if (subject === 'shared') return { lookup, ...owner, personId: undefined };
    return person === null || this.#people.personOf(person).disabled ? 'no_person' : { lookup, ...owner, personId: person.id };
  }

  async #tokenOf(wanted: Wanted, connection: SealedConnection, { refused, refusedAgain }: TokenRequest): Promise<TokenAnswer> {
    const { accessToken } = await this.#seals.open(connection);
    if (refused !== undefined && hashOf(accessToken) === refused) return this.#insteadOfRefused(wanted, connection, refusedAgain === true);
    const { remainingMs, isDue } = connection;
    if (remainingMs === null || !isDue) return this.#give(connection, accessToken);
    const canRefresh = connection.refreshable && connection.state === 'active';
    if (remainingMs > enoughMs) {
      // As long as it is good nobody waits.
      if (canRefresh) this.#refreshSoon(connection);
      return this.#give(connection, accessToken);
    }
    if (!canRefresh && remainingMs <= 0) return this.#connect(wanted, 'reconnect_required', connection.failure === null ? 'expired' : 'refused', []);
    const outcome = canRefresh ? await this.#refresher.refresh(connection, { patienceMs: remainingMs > 0 ? 0 : brokerPatienceMs }) : undefined;
    // What is left of it is better than nothing.
    if (!outcome || (remainingMs > 0 && outcome.result !== 'renewed')) return this.#give(connection, accessToken);
    return this.#after(wanted, outcome, 'expired');
  }

  #refreshSoon(connection: SealedConnection): void {
    this.#refresher.refresh(connection).catch((error: unknown) => this.#logger.warn({ err: error, connection: connection.id }, 'tokens that are about to expire were not refreshed'));
  }

  /** What the upstream has refused is refreshed before its time; not again and again, though, for an upstream that refuses everything. */
  async #insteadOfRefused(wanted: Wanted, connection: SealedConnection, isAgain: boolean): Promise<TokenAnswer> {
    if (isAgain || !connection.refreshable || connection.state !== 'active' || (connection.isFresh && connection.tokenVersion > 1)) {
      return this.#connect(wanted, 'reconnect_required', 'refused', []);
    }
    return this.#after(wanted, await this.#refresher.refresh(connection, { isRefused: true, patienceMs: brokerPatienceMs }), 'refused');
  }

  async #after(wanted: Wanted, outcome: RefreshOutcome, reason: ConnectReason): Promise<TokenAnswer> {
    switch (outcome.result) {
      case 'renewed': {
        const { accessToken } = await this.#seals.open(outcome.row);
        return this.#give(outcome.row, accessToken);
      }
      case 'refused':
        return this.#connect(wanted, 'reconnect_required', reason, []);
      case 'gone':
        return this.#connect(wanted, 'connect_required', 'not_connected', []);
      case 'misconfigured':
        return { status: 'misconfigured' };
      case 'unavailable':
      case 'busy':
      case 'in-doubt':
        return { status: 'provider_unavailable' };
    }
  }

  #give(connection: SealedConnection, accessToken: Secret): TokenAnswer {
    const { id, ownerId, personId, expiresAt, remainingMs, isUseStale } = connection;
    if (isUseStale) noteUse(this.#database.sql, id).catch((error: unknown) => this.#logger.debug({ err: error }, 'the use of a connection was not noted'));
    return {
      status: 'token', accessToken: accessToken.reveal(), connection: id, owner: ownerId,
      ...(personId !== null && { person: personId }),
      ...(expiresAt !== null && { expiresAt: expiresAt.getTime() }),
      ...(remainingMs !== null && { expiresInMs: Math.floor(remainingMs) }),
    };
  }

  async #connect(wanted: Wanted, status: 'connect_required' | 'reconnect_required', reason: ConnectReason, missing: readonly string[]): Promise<TokenAnswer> {
    const { lookup, ownerKind, ownerId, personId } = wanted;
    const { workspaceId, serverId, serverTitle, appTitle, appAuth } = lookup;
    // What is in its document and what the connection has are read when the link is used: links have to be short.
    const scopes = missing.filter((scope) => !appAuth.scopes?.includes(scope));
    const { connectUrl, linkId } = await this.#links.connectLinkFor({ workspaceId, ownerKind, ownerId, serverId, personId, scopes });
    return { status, connectUrl, linkId, owner: ownerId, app: appTitle ?? serverTitle, reason, ...(personId === undefined && { shared: true }) };
  }
}

const hashOf = (token: Secret): string => createHash('sha256').update(token.reveal()).digest('base64url');
