import { type ErrorCode, GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { fetchUserInfo, skipSubjectCheck } from 'openid-client';
import { readConnection, type SealedConnection } from '../../connections/connections.store.ts';
import { ConnectionRefresher } from '../../connections/refresh/connection-refresher.ts';
import { TokenSeals } from '../../connections/token-seals.ts';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import type { PersonRow, ProvidedAttributes } from '../people.store.ts';
import { findIdentityProvider } from '../providers/identity-providers.store.ts';
import { type ProviderClient, ProviderClients } from '../providers/provider-clients.service.ts';
import { ProviderStatements } from '../providers/provider-statements.service.ts';
import { type Claims, contradictsRequirements, meetsRequirements, personOfClaims, updatedAttributes } from './claims.ts';
import { completeClaims } from './complete-claims.ts';
import type { Login } from './login-checks.store.ts';
import { isUnknownToken, providerFailure } from './provider-failure.ts';

/** What a provider says of a person whom it once logged in. */
export type Word =
  /** `isWhole`: nothing of them is as old as the login. */
  | { readonly result: 'confirmed'; readonly attributes: ProvidedAttributes; readonly isWhole: boolean }
  /** It stands by this login no more, or does not let them in. */
  | { readonly result: 'refused' }
  /** There is nothing to ask with. */
  | { readonly result: 'silent' }
  /** Not now. */
  | { readonly result: 'unavailable' };

interface Renewal {
  readonly accessToken: string;
  /** One that was not there before. */
  readonly idToken: string | undefined;
}

/** How long to wait for another replica that refreshes the same tokens ahead of their expiry. */
const patienceMs = 2_000;
/** An access token with less left than this may expire on its way. */
const enoughMs = 5_000;

const ofDatabase = new Set<ErrorCode>(['database_unavailable', 'commit_unknown', 'conflict']);

/** Asks an identity provider about someone by what it gave at a login. */
@Injectable()
export class ProviderWord {
  readonly #database: Database;
  readonly #clients: ProviderClients;
  readonly #statements: ProviderStatements;
  readonly #refresher: ConnectionRefresher;
  readonly #seals: TokenSeals;
  readonly #logger: Logger;

  constructor(
    database: Database, clients: ProviderClients, statements: ProviderStatements, refresher: ConnectionRefresher, seals: TokenSeals, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#clients = clients;
    this.#statements = statements;
    this.#refresher = refresher;
    this.#seals = seals;
    this.#logger = logger;
  }

  /**
   * `isUrgent`: without an answer the person has nothing any more. Then a refresh token is used that may have been used already: at worst
   * they log in again.
   * @throws GatewayError database_unavailable, commit_unknown, conflict
   */
  async about(person: PersonRow, login: Login, isUrgent: boolean): Promise<Word> {
    const row = await findIdentityProvider(this.#database.sql, login.ownerId).catch(unlessMissing);
    if (row?.name !== person.provider || row.document['issuer'] !== person.issuer) return { result: 'silent' };
    try {
      const renewal = await this.#renew(login, isUrgent);
      return 'result' in renewal ? renewal : await this.#read(person, login, await this.#clients.of(row), renewal);
    } catch (error) {
      const failure = providerFailure(error);
      if (ofDatabase.has(failure.code)) throw failure;
      this.#logger.warn({ err: failure, person: person.id }, 'an identity provider could not be asked about a person');
      return { result: failure.code === 'vault_sealed_value_unreadable' ? 'silent' : 'unavailable' };
    }
  }

  /** Tokens that the provider gives or takes now. */
  async #renew(login: Login, isUrgent: boolean): Promise<Renewal | Word> {
    const before = await this.#seals.open(login);
    const kept = { accessToken: before.accessToken.reveal(), idToken: undefined };
    const isUsable = login.remainingMs === null || login.remainingMs > enoughMs;
    if (!login.refreshable) return isUsable ? kept : { result: 'silent' };
    const outcome = await this.#refresher.refresh(login, { patienceMs, isRefused: isUrgent });
    switch (outcome.result) {
      case 'renewed': {
        const { accessToken, idToken } = await this.#seals.open(outcome.row);
        // The answer to a refresh need not have one (OpenID Connect Core section 12.2): then the former is kept, which says nothing new.
        return { accessToken: accessToken.reveal(), idToken: idToken?.reveal() === before.idToken?.reveal() ? undefined : idToken?.reveal() };
      }
      case 'refused': {
        // What was lost on its way to us says nothing about the person.
        const isRefused = wasRefused(await readConnection(this.#database.sql, login.id));
        if (isRefused) return { result: 'refused' };
        return isUsable ? kept : { result: 'silent' };
      }
      case 'gone':
        return { result: 'silent' };
      case 'busy':
      case 'in-doubt':
      case 'misconfigured':
      case 'unavailable':
        return { result: 'unavailable' };
    }
  }

  async #read(person: PersonRow, login: Login, client: ProviderClient, { accessToken, idToken }: Renewal): Promise<Word> {
    const idClaims = idToken === undefined ? undefined : await this.#statements.readIdToken(idToken, client);
    return idClaims === undefined ? this.#readUserInfo(person, login, client, accessToken) : wordOfLogin(person, client, await completeClaims(client, accessToken, idClaims));
  }

  async #readUserInfo(person: PersonRow, { refreshable, remainingMs }: Login, { configuration, document }: ProviderClient, accessToken: string): Promise<Word> {
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return { result: 'silent' };
    let claims: Claims;
    try {
      claims = await fetchUserInfo(configuration, accessToken, skipSubjectCheck);
    } catch (error) {
      if (!isUnknownToken(error)) throw error;
      // Of a token that has not expired it is the provider's word. One that was refreshed a moment ago is for something else than userinfo.
      return { result: refreshable || remainingMs === null ? 'silent' : 'refused' };
    }
    const known = { ...person, email: person.email ?? undefined };
    // The access token is of this login; whom the answer is about is checked all the same (OpenID Connect Core section 5.3.2).
    if (personOfClaims(claims, document).subject !== person.subject) return { result: 'silent' };
    if (contradictsRequirements(claims, document.requiredClaims)) return { result: 'refused' };
    return { result: 'confirmed', ...updatedAttributes(known, claims, document) };
  }
}

/** As a login reads them. */
function wordOfLogin(person: PersonRow, { document }: ProviderClient, claims: Claims): Word {
  const { subject, ...attributes } = personOfClaims(claims, document);
  // OpenID Connect Core section 12.2: it has to be the same person.
  if (subject !== person.subject) return { result: 'silent' };
  return meetsRequirements(claims, document.requiredClaims) ? { result: 'confirmed', attributes, isWhole: true } : { result: 'refused' };
}

const wasRefused = (row: SealedConnection | undefined): boolean => row?.failure === 'refused';

function unlessMissing(error: unknown): undefined {
  if (error instanceof GatewayError && error.code === 'not_found') return undefined;
  throw error;
}
