import { createHash } from 'node:crypto';
import { brokerPatienceMs, type LoginTokenKind, type TokenAnswer, type TokenRequest } from '@gatehouse/access-tokens';
import type { Secret } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import type { Login } from '../../identity/login/login-checks.store.ts';
import { People } from '../../identity/people.service.ts';
import { findPersonRow } from '../../identity/people.store.ts';
import { loginUses } from '../../servers/login-uses.ts';
import { readServers } from '../../servers/servers.store.ts';
import type { ConnectionTokens } from '../connection.ts';
import { noteUse, type SealedConnection } from '../connections.store.ts';
import { idTokenClaims } from '../id-token-claims.ts';
import { ConnectionRefresher, type RefreshOutcome } from '../refresh/connection-refresher.ts';
import { TokenSeals } from '../token-seals.ts';
import { isOutdated, upstreamOf } from './is-outdated.ts';
import { listLoginsFor } from './login-broker.store.ts';

/** A token with less left than this may expire on its way. */
const enoughMs = 5_000;

interface GoodToken {
  readonly value: Secret;
  /** Null: nobody says. */
  readonly remainingMs: number | null;
}

/**
 * Gives data planes what a person's identity provider gave when they logged in: at the login from which they let the agent in, and
 * once that is over, at their newest one.
 */
@Injectable()
export class LoginBroker {
  readonly #database: Database;
  readonly #people: People;
  readonly #seals: TokenSeals;
  readonly #refresher: ConnectionRefresher;
  readonly #logger: Logger;

  constructor(database: Database, people: People, seals: TokenSeals, refresher: ConnectionRefresher, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#people = people;
    this.#seals = seals;
    this.#refresher = refresher;
    this.#logger = logger;
  }

  /** @throws GatewayError database_unavailable, vault_sealed_value_unreadable */
  async answer(request: TokenRequest, kind: LoginTokenKind): Promise<TokenAnswer> {
    const { server, subject } = request;
    const { sql } = this.#database;
    const [row] = await readServers(sql, [server]);
    // That it is used is the document's to say: who asks for what it does not use does not get it.
    if (!row || !loginUses(row.document).some((use) => use.kind === kind) || subject === 'shared' || !('person' in subject)) return { status: 'misconfigured' };
    if (isOutdated(request, upstreamOf(row.document))) return { status: 'outdated' };
    const person = await findPersonRow(sql, subject.person);
    if (!person || this.#people.personOf(person).disabled) return { status: 'no_person' };
    let isAway = false;
    for (const login of await listLoginsFor(sql, person.id, request.grant)) {
      const token = await this.#tokenOf(login, kind, request);
      if (token !== undefined && token !== 'unavailable') return this.#give(login, token, kind);
      // A login that will be back is not over: no other one stands in for it.
      if (token === 'unavailable' && login.isOfGrant) return { status: 'provider_unavailable' };
      isAway ||= token === 'unavailable';
    }
    return { status: isAway ? 'provider_unavailable' : 'no_login' };
  }

  /** Nothing where this login has none that is good, and none can be had. */
  async #tokenOf(login: Login, kind: LoginTokenKind, { refused, refusedAgain = false }: TokenRequest): Promise<GoodToken | 'unavailable' | undefined> {
    const held = tokenIn(await this.#seals.open(login), login, kind);
    const canRefresh = login.refreshable && login.state === 'active';
    const isRefused = held !== undefined && hashOf(held) === refused;
    if (held !== undefined && isGood(held) && !isRefused) {
      // As long as it is good nobody waits.
      if (canRefresh && kind === 'access-token' && login.isDue) this.#refreshSoon(login);
      return held;
    }
    // An ID token may be over long before the access token beside it, and a refresh need not bring another (OpenID Connect Core section
    // 12.2). What has just been refreshed is no better after another refresh, for whoever refuses everything and for whoever gives none.
    const hasJustBeen = login.isFresh && login.tokenVersion > 1;
    if (!canRefresh || (isRefused && refusedAgain) || (hasJustBeen && (isRefused || kind === 'id-token'))) return undefined;
    const outcome = await this.#refresher.refresh(login, { isRefused: isRefused && kind === 'access-token', patienceMs: brokerPatienceMs });
    if (isPassing(outcome)) return 'unavailable';
    if (outcome.result !== 'renewed') return undefined;
    const renewed = tokenIn(await this.#seals.open(outcome.row), outcome.row, kind);
    return renewed !== undefined && isGood(renewed) && hashOf(renewed) !== refused ? renewed : undefined;
  }

  #refreshSoon(login: Login): void {
    this.#refresher.refresh(login).catch((error: unknown) => this.#logger.warn({ err: error, connection: login.id }, 'tokens of a login that are about to expire were not refreshed'));
  }

  #give({ id, ownerId, personId, isUseStale }: Login, { value, remainingMs }: GoodToken, kind: LoginTokenKind): TokenAnswer {
    if (isUseStale) noteUse(this.#database.sql, id).catch((error: unknown) => this.#logger.debug({ err: error }, 'the use of a login’s tokens was not noted'));
    return {
      status: 'token', accessToken: value.reveal(), connection: id, owner: ownerId, person: personId, login: kind,
      ...(remainingMs !== null && { expiresAt: Math.floor(Date.now() + remainingMs), expiresInMs: Math.floor(remainingMs) }),
    };
  }
}

const hashOf = ({ value }: GoodToken): string => createHash('sha256').update(value.reveal()).digest('base64url');
const isPassing = ({ result }: RefreshOutcome): boolean => result === 'unavailable' || result === 'busy' || result === 'in-doubt';
const isGood = ({ remainingMs }: GoodToken): boolean => remainingMs === null || remainingMs > enoughMs;

function tokenIn({ accessToken, idToken }: ConnectionTokens, { remainingMs }: SealedConnection, kind: LoginTokenKind): GoodToken | undefined {
  if (kind === 'access-token') return { value: accessToken, remainingMs };
  return idToken && { value: idToken, remainingMs: expiryOf(idToken) - Date.now() };
}

/** Verified when it came (OpenID Connect Core section 3.1.3.7); one that says nothing is over. */
function expiryOf(idToken: Secret): number {
  const { exp } = idTokenClaims(idToken) ?? {};
  return typeof exp === 'number' ? exp * 1000 : 0;
}
