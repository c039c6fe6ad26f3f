import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import { Inject, Injectable } from '@nestjs/common';
import { authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { Metrics } from '../../health/metrics.ts';
import { type BrowserRequest, BrowserSessions, type LoginOptions } from '../browser-sessions.service.ts';
import { gatewayItself, Vault } from '../../vault/vault.ts';
import { People } from '../people.service.ts';
import { noteLogin, putProvidedPerson } from '../people.store.ts';
import { findIdentityProvider, type IdentityProviderRow } from '../providers/identity-providers.store.ts';
import { redirectUriOf } from '../providers/present-provider.ts';
import { type ProviderClient, ProviderClients } from '../providers/provider-clients.service.ts';
import { hashToken, isToken, randomToken } from '../random-token.ts';
import { type Claims, meetsRequirements, personOfClaims } from './claims.ts';
import { completeClaims } from './complete-claims.ts';
import type { LoginBrowser } from './login-browser.ts';
import { type BegunLogin, insertLoginState, takeLoginState } from './login-states.store.ts';
import { providerFailure } from './provider-failure.ts';
import { insertProviderTokens, type ProviderTokens } from './provider-tokens.store.ts';

export interface LoginStart {
  readonly returnTo: string;
  readonly fresh: LoginOptions['fresh'];
}

export interface FinishedLogin {
  readonly returnTo: string;
  /** Of the session that was begun. */
  readonly cookie: string;
}

interface ProvidedLogin {
  readonly claims: Claims;
  readonly tokens: ProviderTokens;
  readonly scope: string | undefined;
  readonly expiresInSeconds: number | undefined;
}

/** How much older than the login itself a proof may be that was asked for anew: the clocks of two machines. */
const freshToleranceMs = 60_000;

/** Login at an organisation's identity provider: authorization code, PKCE, state, nonce (OpenID Connect Core section 3.1, RFC 9700). */
@Injectable()
export class ProviderLogin {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #clients: ProviderClients;
  readonly #people: People;
  readonly #sessions: BrowserSessions;
  readonly #controlPlaneUrl: string;
  readonly #failedLogins: Metrics['failedLogins'];

  constructor(
    database: Database, vault: Vault, clients: ProviderClients, people: People, sessions: BrowserSessions, { failedLogins }: Metrics,
    @Inject(settingsToken) settings: ControlPlaneSettings,
  ) {
    this.#database = database;
    this.#vault = vault;
    this.#clients = clients;
    this.#people = people;
    this.#sessions = sessions;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
    this.#failedLogins = failedLogins;
  }

  /**
   * @returns where to send the browser.
   * @throws GatewayError not_found, provider_unavailable, provider_misconfigured
   */
  async start(providerName: string, browser: LoginBrowser, { returnTo, fresh }: LoginStart): Promise<string> {
    const { sql } = this.#database;
    const row = await this.#enabled(providerName);
    const { configuration, document } = await this.#clients.of(row);
    const state = randomToken();
    await insertLoginState(sql, { ...keysOf(browser, state), providerId: row.id, returnTo, isFresh: fresh === 'proven' });
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUriOf(this.#controlPlaneUrl, row.name),
      scope: [...new Set(['openid', ...(document.scopes ?? ['profile', 'email'])])].join(' '),
      state,
      nonce: browser.derive('nonce', state),
      code_challenge: await calculatePKCECodeChallenge(browser.derive('verifier', state)),
      code_challenge_method: 'S256',
      ...(fresh !== undefined && { prompt: 'login' }),
      // With it the provider has to say when it asked (OpenID Connect Core section 2), and that is checked. Not every one does.
      ...(fresh === 'proven' && { max_age: '0' }),
    });
    return url.href;
  }

  /**
   * What the provider sent the browser back with, as a login. `query` is that of the callback, without its question mark.
   * @throws GatewayError login_expired, login_refused, login_invalid, account_disabled, provider_unavailable, provider_misconfigured
   */
  async finish(providerName: string, browser: LoginBrowser, query: string, request: BrowserRequest): Promise<FinishedLogin> {
    try {
      return await this.#finish(providerName, browser, query, request);
    } catch (error) {
      if (error instanceof GatewayError) this.#failedLogins.inc({ reason: error.code });
      throw error;
    }
  }

  async #finish(providerName: string, browser: LoginBrowser, query: string, request: BrowserRequest): Promise<FinishedLogin> {
    const row = await this.#enabled(providerName);
    const state = new URLSearchParams(query).get('state');
    // First of all, and also where the provider reports an error: what nobody began here is not looked at.
    const begun = isToken(state ?? undefined) ? await takeLoginState(this.#database.sql, { ...keysOf(browser, state as string), providerId: row.id }) : undefined;
    if (state === null || begun === undefined) throw new GatewayError('login_expired');
    const client = await this.#clients.of(row);
    const callback = new URL(`${redirectUriOf(this.#controlPlaneUrl, row.name)}?${query}`);
    const login = await redeem(client, callback, browser, state).catch((error: unknown) => {
      throw providerFailure(error);
    });
    if (begun.isFresh) requireFreshProof(login.claims, begun);
    return { returnTo: begun.returnTo, cookie: await this.#store(row, client, login, request) };
  }

  async #store(row: IdentityProviderRow, { document }: ProviderClient, { claims, tokens, ...terms }: ProvidedLogin, request: BrowserRequest): Promise<string> {
    if (!meetsRequirements(claims, document.requiredClaims)) throw new GatewayError('account_disabled', { detail: `a required claim of ${row.name} is missing` });
    const { subject, ...attributes } = personOfClaims(claims, document);
    const identity = { provider: row.name, issuer: document.issuer, subject };
    return this.#database.transaction(async (sql) => {
      const stored = await putProvidedPerson(sql, uuidV7(), identity, attributes);
      const person = this.#people.personOf(stored);
      if (person.disabled) throw new GatewayError('account_disabled', { detail: `person ${person.id}` });
      const { sessionId, cookie } = await this.#sessions.start(sql, request, person.id);
      const ring = await this.#vault.sealingRing(sql, gatewayItself, 1);
      await insertProviderTokens(sql, ring, { sessionId, personId: person.id, provider: row.name, issuer: document.issuer }, tokens, terms);
      await noteLogin(sql, person.id);
      await appendAuditEvent(sql, {
        actor: { name: `person:${person.id}`, displayName: person.name, attempt: undefined },
        action: 'person.logged-in', workspace: null, targetKind: 'Person', targetId: person.id, targetName: person.name, fields: [],
      });
      return cookie;
    });
  }

  /** @throws GatewayError not_found, also for one that is switched off */
  async #enabled(name: string): Promise<IdentityProviderRow> {
    const row = await findIdentityProvider(this.#database.sql, name);
    if (row.name !== name || row.document['enabled'] === false) throw new GatewayError('not_found', { detail: 'identity provider' });
    return row;
  }
}

const keysOf = (browser: LoginBrowser, state: string) => ({ stateHash: hashToken(state), browserHash: hashToken(browser.derive('browser')) });

/** Checks the answer (`state`, `iss`), redeems the code, checks the ID token (signature, issuer, audience, expiry, `nonce`). */
async function redeem(client: ProviderClient, callback: URL, browser: LoginBrowser, state: string): Promise<ProvidedLogin> {
  const checks = { expectedState: state, expectedNonce: browser.derive('nonce', state), pkceCodeVerifier: browser.derive('verifier', state), idTokenExpected: true };
  const reply = await authorizationCodeGrant(client.configuration, callback, checks);
  const { id_token: idToken, refresh_token: refreshToken, scope } = reply;
  return {
    claims: await completeClaims(client, reply.access_token, reply.claims() ?? {}),
    tokens: {
      accessToken: new Secret(reply.access_token),
      refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
      idToken: idToken === undefined ? undefined : new Secret(idToken),
    },
    scope,
    expiresInSeconds: reply.expires_in,
  };
}

/** The provider has to have asked for this login, and to say so: OpenID Connect Core section 3.1.2.1, `auth_time` is there where `max_age` was sent. */
function requireFreshProof({ auth_time: authTime }: Claims, { begunAt }: BegunLogin): void {
  if (typeof authTime !== 'number') throw new GatewayError('login_refused', { detail: 'the provider does not say when it asked' });
  if (authTime * 1000 < begunAt.getTime() - freshToleranceMs) throw new GatewayError('login_refused', { detail: 'the provider did not ask again' });
}
