import { GatewayError } from '@gatehouse/errors';
import type { IdentityProviderDocument } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import { keySetLimits, KeySets, signatureAlgorithms, type TokenRules, type VerifiedToken, verifyToken } from '@gatehouse/token-verification';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { decodeJwt } from 'jose';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ClaimedPerson, meetsRequirements, personOfClaims } from '../login/claims.ts';
import { findProvidedPerson, type PersonRow, putProvidedPerson } from '../people.store.ts';
import { findProviderOfIssuer } from './identity-providers.store.ts';
import { type ProviderClient, ProviderClients } from './provider-clients.service.ts';
import { ProviderEgress } from './provider-egress.service.ts';

const maxTokenLength = 16_384;
const clockToleranceSeconds = 30;
const algorithms = new Set(signatureAlgorithms);

/** A JWT that a configured identity provider has signed: its word about someone. */
export interface ProviderStatement {
  /** Name of the provider. */
  readonly provider: string;
  readonly document: IdentityProviderDocument;
  readonly claims: VerifiedToken['claims'];
}

/** What a statement must be for a purpose; statements for another one count for nothing. */
export type StatementRules = Required<Pick<TokenRules, 'audiences' | 'requiredClaims'>> & Pick<TokenRules, 'onlyType'>;

/** What identity providers say outside of a login. It is verified as callers' tokens are (docs/decisions/0005). */
@Injectable()
export class ProviderStatements implements OnApplicationShutdown {
  readonly #database: Database;
  readonly #clients: ProviderClients;
  readonly #keySets: KeySets;

  constructor(database: Database, clients: ProviderClients, egress: ProviderEgress, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#clients = clients;
    this.#keySets = new KeySets({
      fetch: egress.fetchOf(keySetLimits),
      now: Date.now,
      onFailure: (url, cause) => logger.warn({ err: cause, url }, 'the keys of an identity provider could not be fetched'),
    });
  }

  /**
   * Undefined where anything about it is not as it should be.
   * @throws GatewayError provider_unavailable, provider_misconfigured, caller_keys_unavailable
   */
  async read(token: string, rulesOf: (document: IdentityProviderDocument) => StatementRules): Promise<ProviderStatement | undefined> {
    const issuer = issuerOf(token);
    const row = issuer === undefined ? undefined : await findProviderOfIssuer(this.#database.sql, issuer);
    if (row === undefined) return undefined;
    const client = await this.#clients.of(row);
    const { document } = client;
    const claims = await this.#verified(token, client, rulesOf(document));
    return claims !== undefined && meetsRequirements(claims, document.requiredClaims) ? { provider: row.name, document, claims } : undefined;
  }

  /**
   * What an ID token for us says that came otherwise than in a login (OpenID Connect Core sections 3.1.3.7 and 12.2). Whether it is about
   * the same person, and lets them in, is for the caller to say.
   * @throws GatewayError caller_keys_unavailable
   */
  async readIdToken(token: string, client: ProviderClient): Promise<VerifiedToken['claims'] | undefined> {
    const { clientId } = client.document;
    const claims = await this.#verified(token, client, { audiences: [clientId], requiredClaims: ['sub'] });
    return claims !== undefined && ([claims.aud].flat().length === 1 || claims['azp'] === clientId) ? claims : undefined;
  }

  async #verified(token: string, { configuration, document }: ProviderClient, purpose: StatementRules): Promise<VerifiedToken['claims'] | undefined> {
    const { jwks_uri: jwksUri } = configuration.serverMetadata();
    if (jwksUri === undefined) return undefined;
    const rules = { ...purpose, issuers: [document.issuer], algorithms, clockToleranceSeconds };
    const verification = await verifyToken(token, this.#keySets.at(jwksUri), rules, Date.now());
    return 'denied' in verification ? undefined : verification.claims;
  }

  /**
   * Whom it is about: as it says, and as they are known. It may say less than a login does: of someone who is known nothing is
   * changed by it. Undefined without a subject that somebody could be known by.
   */
  async about({ provider, document, claims }: ProviderStatement): Promise<{ readonly row: PersonRow; readonly claimed: ClaimedPerson } | undefined> {
    const claimed = claimedBy(claims, document);
    if (claimed === undefined) return undefined;
    const { subject, ...attributes } = claimed;
    const identity = { provider, issuer: document.issuer, subject };
    const { sql } = this.#database;
    return { row: (await findProvidedPerson(sql, identity)) ?? (await putProvidedPerson(sql, uuidV7(), identity, attributes)), claimed };
  }

  onApplicationShutdown(): void {
    this.#keySets.close();
  }
}

function claimedBy(claims: ProviderStatement['claims'], document: IdentityProviderDocument): ClaimedPerson | undefined {
  try {
    return personOfClaims(claims, document);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'login_invalid') return undefined;
    throw error;
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
