import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GuardedFetch } from '@gatehouse/egress';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Provider from 'oidc-provider';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { LoginChecks } from '../identity/login/login-checks.service.ts';
import { People } from '../identity/people.service.ts';
import { sharedSecret } from '../vault/shared-secret.ts';
import { Vault } from '../vault/vault.ts';
import { AgentGrants } from './agent-grants.service.ts';
import { answerFailures } from './answer-failures.ts';
import { answerJwtTokens } from './answer-jwt-tokens.ts';
import { assertionGrant, assertionParameters, type AssertionParameters } from './assertion-grant.ts';
import { assertionGrantType } from './client-metadata.ts';
import { cookieKeyOf } from './cookie-keys.ts';
import { noteUse } from './grants.store.ts';
import { IdentityAssertions } from './identity-assertions.service.ts';
import { withKeptDocuments } from './kept-client-documents.ts';
import { lifetimes } from './lifetimes.ts';
import { OAuthEgress } from './oauth-egress.service.ts';
import { OAuthState, stateKey } from './oauth-state.service.ts';
import { prolongClient } from './oauth-state.store.ts';
import { type OpenedKeys, openSigningKeys } from './open-signing-keys.ts';
import { providerConfiguration } from './provider-configuration.ts';
import { allowBrowserRegistration } from './allow-browser-registration.ts';
import { refineAnswers } from './refine-answers.ts';
import { rememberFailures } from './remember-failures.ts';

interface Serving {
  readonly version: string;
  readonly provider: Provider;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** How long a replica may go on with the keys it has read. A new key is known for a day before it signs. */
const keysFreshMs = 60_000;

/** The agents' authorization server. All its state is in Postgres, so that any replica serves any step. */
@Injectable()
export class AuthorizationServer implements OnApplicationShutdown {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #state: OAuthState;
  readonly #grants: AgentGrants;
  readonly #people: People;
  readonly #logins: LoginChecks;
  readonly #fetch: GuardedFetch;
  readonly #assertions: IdentityAssertions;
  readonly #settings: ControlPlaneSettings;
  readonly #logger: Logger;
  #serving: Serving | undefined;
  #readAt = 0;
  #reading: Promise<Serving> | undefined;

  constructor(
    database: Database, vault: Vault, state: OAuthState, grants: AgentGrants, people: People, logins: LoginChecks, egress: OAuthEgress, assertions: IdentityAssertions,
    @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#vault = vault;
    this.#state = state;
    this.#grants = grants;
    this.#people = people;
    this.#logins = logins;
    this.#fetch = rememberFailures(egress.fetch);
    this.#assertions = assertions;
    this.#settings = settings;
    this.#logger = logger;
  }

  async provider(): Promise<Provider> {
    return (await this.#current()).provider;
  }

  /** Whether it has its keys, which are in the database. */
  async isReady(): Promise<boolean> {
    return this.#current().then(() => true, (error: unknown) => {
      this.#logger.error({ err: error }, 'the signing keys cannot be read');
      return false;
    });
  }

  /** Signs with the keys of now, here at once; other replicas read them within a minute. */
  async rereadKeys(): Promise<void> {
    // One that is being read may be the one before.
    await this.#reading?.catch(() => undefined);
    await this.#reread();
  }

  /** Answers a request to one of its endpoints. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { handle } = await this.#current();
    await handle(request, response);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#reading?.catch(() => undefined);
  }

  async #current(): Promise<Serving> {
    if (!this.#serving) return this.#reread();
    if (Date.now() - this.#readAt > keysFreshMs) {
      this.#readAt = Date.now();
      // Nobody waits for it, and a database that is away keeps nobody from serving with the keys there were.
      this.#reread().catch((error: unknown) => this.#logger.warn({ err: error }, 'the signing keys could not be read again'));
    }
    return this.#serving;
  }

  #reread(): Promise<Serving> {
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
  }

  async #read(): Promise<Serving> {
    const keys = await openSigningKeys(this.#database.sql, this.#vault);
    const cookieKey = cookieKeyOf(await sharedSecret(this.#database.sql, this.#vault));
    this.#readAt = Date.now();
    if (this.#serving?.version !== keys.version) this.#serving = this.#open(keys, cookieKey);
    return this.#serving;
  }

  /** The library takes its keys once: for other keys there is another provider, which finds everything else where the first one left it. */
  #open({ jwks, publicKeys, kid, version }: OpenedKeys, cookieKey: Buffer): Serving {
    const { CONTROL_PLANE_URL: issuer, DATA_PLANE_URL: dataPlaneUrl, OAUTH_DYNAMIC_REGISTRATION: allowsRegistration, OAUTH_MAX_UNUSED_CLIENTS: maxUnusedClients } = this.#settings;
    const { sql } = this.#database;
    const provider = new Provider(issuer, providerConfiguration({
      state: this.#state, grants: this.#grants, people: this.#people, logins: this.#logins, fetch: withKeptDocuments(this.#fetch, this.#state), sql, dataPlaneUrl, jwks, kid,
      isSecure: issuer.startsWith('https:'), cookieKey, allowsRegistration, maxUnusedClients,
      noteUse: async (clientId, grantId) => {
        await noteUse(sql, grantId);
        await prolongClient(sql, stateKey('Client', clientId).idHash, lifetimes.client);
      },
    }));
    provider.registerGrantType<AssertionParameters>(assertionGrantType, (ctx) => assertionGrant(ctx, { sql, dataPlaneUrl, kid, state: this.#state, assertions: this.#assertions }), assertionParameters);
    // It is told who it is by `ownAddress`, and believes no one else.
    provider.proxy = true;
    provider.use(answerFailures(this.#logger));
    provider.use(answerJwtTokens({ issuer, grants: this.#grants, people: this.#people, sql, publicKeys }));
    provider.use(allowBrowserRegistration);
    provider.use(refineAnswers);
    provider.on('server_error', (_ctx, error) => this.#logger.error({ err: error }, 'the authorization server failed'));
    // Koa's own event, with the error first, for answers that break off; without a listener it would print it.
    (provider as EventEmitter).on('error', (error: unknown) => this.#logger.error({ err: error }, 'an answer of the authorization server failed'));
    const callback = provider.callback();
    return { version, provider, handle: (request, response) => callback(ownAddress(request, issuer), response) };
  }
}

/** URLs are made of the address a request came to. Which that is is configured, and not up to whoever sends a `Host`. */
function ownAddress(request: IncomingMessage, issuer: string): IncomingMessage {
  const { host, protocol } = new URL(issuer);
  Object.assign(request.headers, { host, 'x-forwarded-host': host, 'x-forwarded-proto': protocol.slice(0, -1) });
  delete request.headers['x-forwarded-for'];
  return request;
}
