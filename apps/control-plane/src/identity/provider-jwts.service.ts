import type { Logger } from '@gatehouse/service-runtime';
import { keySetLimits, KeySets, signatureAlgorithms, verifyToken } from '@gatehouse/token-verification';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { decodeJwt } from 'jose';
import { loggerToken } from '../control-plane-parts.ts';
import { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { type Claims, meetsRequirements, personOfClaims } from './login/claims.ts';
import { People } from './people.service.ts';
import { findProvidedPerson, putProvidedPerson } from './people.store.ts';
import type { Person } from './person.ts';
import { findProvidersOfIssuer } from './providers/identity-providers.store.ts';
import { type ProviderClient, ProviderClients } from './providers/provider-clients.service.ts';
import { ProviderEgress } from './providers/provider-egress.service.ts';

const maxTokenLength = 16_384;
const clockToleranceSeconds = 30;
const algorithms = new Set(signatureAlgorithms);

/**
 * Tokens that an identity provider gave to a program for the REST API: JWTs of a configured issuer, for this gateway's client or
 * for its URL. They are verified as callers' tokens are (docs/decisions/0005).
 */
@Injectable()
export class ProviderJwts implements OnApplicationShutdown {
  readonly #database: Database;
  readonly #clients: ProviderClients;
  readonly #people: People;
  readonly #controlPlaneUrl: string;
  readonly #keySets: KeySets;

  constructor(
    database: Database, clients: ProviderClients, people: People, egress: ProviderEgress,
    @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#clients = clients;
    this.#people = people;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
    this.#keySets = new KeySets({
      fetch: egress.fetchOf(keySetLimits),
      now: Date.now,
      onFailure: (url, cause) => logger.warn({ err: cause, url }, 'the keys of an identity provider could not be fetched'),
    });
  }

  /**
   * The person of a token; nobody where anything about it is not as it should be. Roles are those of the token's own claims.
   * @throws GatewayError provider_unavailable, caller_keys_unavailable
   */
  async personOf(token: string): Promise<Person | undefined> {
    const issuer = issuerOf(token);
    if (issuer === undefined) return undefined;
    for (const row of await findProvidersOfIssuer(this.#database.sql, issuer)) {
      const client = await this.#clients.of(row);
      const claims = await this.#verified(token, client);
      if (claims !== undefined && meetsRequirements(claims, client.document.requiredClaims)) return this.#known(row.name, client, claims);
    }
    return undefined;
  }

  onApplicationShutdown(): void {
    this.#keySets.close();
  }

  async #verified(token: string, { configuration, document }: ProviderClient): Promise<Claims | undefined> {
    const { jwks_uri: jwksUri } = configuration.serverMetadata();
    if (jwksUri === undefined) return undefined;
    const rules = { issuers: [document.issuer], audiences: [document.clientId, this.#controlPlaneUrl], algorithms, clockToleranceSeconds, requiredClaims: ['sub'] };
    const verification = await verifyToken(token, this.#keySets.at(jwksUri), rules, Date.now());
    return 'denied' in verification ? undefined : verification.claims;
  }

  /** An access token may say less than a login does: of someone who is known nothing is changed by it. */
  async #known(provider: string, { document }: ProviderClient, claims: Claims): Promise<Person | undefined> {
    const { sql } = this.#database;
    const { subject, ...attributes } = personOfClaims(claims, document.claims);
    const identity = { provider, issuer: document.issuer, subject };
    const row = (await findProvidedPerson(sql, identity)) ?? (await putProvidedPerson(sql, uuidV7(), identity, attributes));
    const person = this.#people.personOf({ ...row, groups: attributes.groups, roleValues: attributes.roleValues });
    return person.disabled ? undefined : person;
  }
}

/** Not verified: it only says whose keys to verify with. */
function issuerOf(token: string): string | undefined {
  if (token.length > maxTokenLength || token.split('.').length !== 3) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' && !iss.includes('\0') && iss.isWellFormed() ? iss : undefined;
  } catch {
    return undefined;
  }
}
