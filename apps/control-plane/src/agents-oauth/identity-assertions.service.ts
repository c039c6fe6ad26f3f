import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { keySetLimits, KeySets, signatureAlgorithms, verifyToken } from '@gatehouse/token-verification';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { decodeJwt } from 'jose';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { type Claims, meetsRequirements, personOfClaims } from '../identity/login/claims.ts';
import { People } from '../identity/people.service.ts';
import { findProvidedPerson, putProvidedPerson } from '../identity/people.store.ts';
import type { Person } from '../identity/person.ts';
import { findProvidersOfIssuer } from '../identity/providers/identity-providers.store.ts';
import { type ProviderClient, ProviderClients } from '../identity/providers/provider-clients.service.ts';
import { ProviderEgress } from '../identity/providers/provider-egress.service.ts';

/** What an identity provider says: this person's client may have this. */
export interface IdentityAssertion {
  readonly person: Person;
  readonly issuer: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly resource: string | undefined;
  readonly scope: string | undefined;
}

const type = 'oauth-id-jag+jwt';
const maxLength = 16_384;
const clockToleranceSeconds = 30;
/** Each is remembered until it expires. */
const maxLifeSeconds = 3_600;
const algorithms = new Set(signatureAlgorithms);
const requiredClaims = ['sub', 'client_id', 'jti', 'iat'];

/** Identity assertion JWT authorization grants (draft-ietf-oauth-identity-assertion-authz-grant) of configured identity providers. */
@Injectable()
export class IdentityAssertions implements OnApplicationShutdown {
  readonly #database: Database;
  readonly #clients: ProviderClients;
  readonly #people: People;
  readonly #issuer: string;
  readonly #keySets: KeySets;

  constructor(
    database: Database, clients: ProviderClients, people: People, egress: ProviderEgress,
    @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#clients = clients;
    this.#people = people;
    this.#issuer = settings.CONTROL_PLANE_URL;
    this.#keySets = new KeySets({
      fetch: egress.fetchOf(keySetLimits),
      now: Date.now,
      onFailure: (url, cause) => logger.warn({ err: cause, url }, 'the keys of an identity provider could not be fetched'),
    });
  }

  /**
   * Undefined where anything about it is not as it should be. Whether it was used before is for the caller to say.
   * @throws GatewayError provider_unavailable, caller_keys_unavailable
   */
  async read(assertion: string, clientId: string): Promise<IdentityAssertion | undefined> {
    const issuer = issuerOf(assertion);
    if (issuer === undefined) return undefined;
    for (const row of await findProvidersOfIssuer(this.#database.sql, issuer)) {
      const client = await this.#clients.of(row);
      const claims = await this.#verified(assertion, client, clientId);
      if (claims === undefined || !meetsRequirements(claims, client.document.requiredClaims)) continue;
      const person = await this.#person(row.name, client, claims).catch(unlessUnusable);
      if (person === undefined || person.disabled) return undefined;
      const { jti, exp, resource, scope } = claims;
      return { person, issuer, jti: String(jti), expiresAt: Number(exp), resource: [resource].flat().length === 1 ? textOf([resource].flat()[0]) : undefined, scope: textOf(scope) };
    }
    return undefined;
  }

  onApplicationShutdown(): void {
    this.#keySets.close();
  }

  async #verified(assertion: string, { configuration, document }: ProviderClient, clientId: string): Promise<Claims | undefined> {
    const { jwks_uri: jwksUri } = configuration.serverMetadata();
    if (jwksUri === undefined) return undefined;
    const rules = { issuers: [document.issuer], audiences: [this.#issuer], algorithms, clockToleranceSeconds, requiredClaims, onlyType: type };
    const verification = await verifyToken(assertion, this.#keySets.at(jwksUri), rules, Date.now());
    if ('denied' in verification) return undefined;
    const { claims } = verification;
    const isForOneAudience = [claims.aud].flat().length === 1;
    const isShort = Number(claims.exp) - Number(claims.iat) <= maxLifeSeconds;
    // What is said in `authorization_details` is not understood here, and would be more than what is left without it.
    return isForOneAudience && isShort && claims['client_id'] === clientId && claims['authorization_details'] === undefined ? claims : undefined;
  }

  /** An assertion may say less than a login does: of someone who is known nothing is changed by it. */
  async #person(provider: string, { document }: ProviderClient, claims: Claims): Promise<Person> {
    const { sql } = this.#database;
    const { subject, ...attributes } = personOfClaims(claims, document.claims);
    const identity = { provider, issuer: document.issuer, subject };
    return this.#people.personOf((await findProvidedPerson(sql, identity)) ?? (await putProvidedPerson(sql, uuidV7(), identity, attributes)));
  }
}

/** Claims without a subject that somebody could be known by. */
function unlessUnusable(error: unknown): undefined {
  if (error instanceof GatewayError && error.code === 'login_invalid') return undefined;
  throw error;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Not verified: it only says whose keys to verify with. */
function issuerOf(token: string): string | undefined {
  if (token.length > maxLength || token.split('.').length !== 3) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' && !iss.includes('\0') && iss.isWellFormed() ? iss : undefined;
  } catch {
    return undefined;
  }
}
