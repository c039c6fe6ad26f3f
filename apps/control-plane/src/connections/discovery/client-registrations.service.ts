import { randomBytes } from 'node:crypto';
import { type ClientAuthentication, exchangeCode, type Fetch, type OAuthClient, OAuthFailure } from '@gatehouse/oauth-client';
import { seal, Secret, sealedTerm, unseal } from '@gatehouse/sealing';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { Vault } from '../../vault/vault.ts';
import { forgetClient, keepFormerClient, type NewClient, noteChecked, putRegistration, readFormerClient, readRegistration, registrationContext, type RegistrationRow, storeClient } from './client-registrations.store.ts';
import { DiscoveryEgress } from './discovery-egress.service.ts';
import { DiscoveryFailure } from './discovery-failure.ts';
import type { FoundAuthorizationServer } from './find-authorization-server.ts';
import { forgetfulFetch } from './forgetful-fetch.ts';
import { isPublicName, metadataDocumentUrl, registrationRedirectUri } from './our-client-metadata.ts';
import { type ClientAuth, registerClient } from './register-client.ts';

/** Us as a client of an authorization server. */
export interface Registration {
  readonly id: string;
  readonly workspaceId: string;
  readonly server: FoundAuthorizationServer;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientAuth: ClientAuth;
  readonly redirectUri: string;
  /** For its token and revocation endpoints. */
  readonly fetch: Fetch;
}

/** One that was just made. */
type UnsealedClient = Omit<NewClient, 'keyTerm' | 'sealed'> & { readonly secret: Secret | undefined };

/** How the gateway becomes a client of authorization servers that upstreams name: once for each workspace and issuer. */
@Injectable()
export class ClientRegistrations {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #egress: DiscoveryEgress;
  readonly #controlPlaneUrl: string;

  constructor(database: Database, vault: Vault, egress: DiscoveryEgress, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#vault = vault;
    this.#egress = egress;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  /** The one there is, as long as the server still knows it, or a new one. Undefined: the server lets nobody register. @throws DiscoveryFailure */
  async ensure(workspaceId: string, server: FoundAuthorizationServer, isNear: boolean): Promise<Registration | undefined> {
    const row = await putRegistration(this.#database.sql, uuidV7(), workspaceId, server, isNear);
    const redirectUri = registrationRedirectUri(this.#controlPlaneUrl, row.id);
    if (row.clientId !== null && row.isCurrent && row.redirectUri === redirectUri && (await this.#isKnown(row))) return this.#open(row);
    const client = await this.#newClient(row);
    if (!client) return undefined;
    // Between two that register at once the first one counts, for both.
    const stored = (await this.#store(row, { ...client, redirectUri })) ?? (await readRegistration(this.#database.sql, row.id));
    return stored && this.#open(stored);
  }

  /** The client that we are there, or were: the one of this client id. */
  async read(id: string, clientId: string | null): Promise<Registration | undefined> {
    const { sql } = this.#database;
    const row = await readRegistration(sql, id);
    const former = clientId === null || row?.clientId === clientId ? undefined : await readFormerClient(sql, id, clientId);
    return row && this.#open(former ? { ...row, ...former, kind: 'registration' } : row);
  }

  /** MCP's order: our metadata where the server reads it, else registration. Metadata that it may not reach is the last try. */
  async #newClient({ id, server, isNear }: RegistrationRow): Promise<Omit<UnsealedClient, 'redirectUri'> | undefined> {
    const { takesMetadataDocuments, registrationUrl, clientAuths } = server;
    const byDocument = takesMetadataDocuments && this.#controlPlaneUrl.startsWith('https:') && clientAuths.includes('none');
    if (registrationUrl !== undefined && !(byDocument && isPublicName(this.#controlPlaneUrl))) {
      const { clientSecret: secret, ...client } = await registerClient({ registrationUrl, clientAuths, controlPlaneUrl: this.#controlPlaneUrl, registrationId: id }, this.#egress.of(isNear));
      return { kind: 'registration', ...client, secret };
    }
    if (!byDocument) return undefined;
    return { kind: 'metadata-document', clientId: metadataDocumentUrl(this.#controlPlaneUrl, id), clientAuth: 'none', secretExpiresAt: null, secret: undefined };
  }

  #store(row: RegistrationRow, { secret, ...client }: UnsealedClient): Promise<RegistrationRow | undefined> {
    return this.#database.transaction(async (sql) => {
      if (row.clientId !== null && row.clientId !== client.clientId) await keepFormerClient(sql, row.id, row.clientId);
      const sealed = secret && seal(await this.#vault.sealingRing(sql, row.workspaceId, 1), registrationContext(row), secret.reveal());
      return storeClient(sql, row.id, row.clientId, { ...client, sealed: sealed ?? null, keyTerm: sealed ? sealedTerm(sealed) : null });
    });
  }

  /**
   * Servers forget: many keep their clients in memory. At the authorization endpoint a person would find out and nobody else, so that
   * the token endpoint is asked first, with a code that is none: it refuses that, or us (RFC 6749 section 5.2).
   */
  async #isKnown(row: RegistrationRow): Promise<boolean> {
    if (row.kind !== 'registration' || row.isChecked) return true;
    const { id, server, clientId, clientAuth, clientSecret, redirectUri } = await this.#open(row);
    const client: OAuthClient = { issuer: server.issuer, tokenUrl: server.tokenUrl, clientId, authentication: authenticationOf({ clientAuth, clientSecret }), fetch: this.#egress.of(row.isNear) };
    const random = (): Secret => new Secret(randomBytes(32).toString('base64url'));
    try {
      await exchangeCode(client, { code: random(), redirectUri, codeVerifier: random() });
    } catch (error) {
      if (!(error instanceof OAuthFailure)) throw error;
      if (error.kind === 'unavailable') throw new DiscoveryFailure(`the token endpoint of ${server.issuer} does not answer`, { isPassing: true, cause: error });
      if (error.error === 'invalid_client') return false;
    }
    await noteChecked(this.#database.sql, id);
    return true;
  }

  async #open(row: RegistrationRow): Promise<Registration> {
    const { id, workspaceId, server, sealed } = row;
    const clientId = row.clientId ?? '';
    const { sql } = this.#database;
    const clientSecret = sealed === null ? undefined : new Secret(unseal(await this.#vault.openingRing(sql, workspaceId), registrationContext(row), sealed).toString('utf8'));
    const fetch = this.#egress.of(row.isNear);
    return {
      id, workspaceId, server, clientId, clientSecret, clientAuth: row.clientAuth ?? 'none',
      redirectUri: registrationRedirectUri(this.#controlPlaneUrl, id),
      // Our metadata is read again each time: that it could not be read once says nothing.
      fetch: row.kind === 'registration' ? forgetfulFetch(fetch, () => forgetClient(sql, id, clientId)) : fetch,
    };
  }
}

export const authenticationOf = ({ clientAuth, clientSecret }: Pick<Registration, 'clientAuth' | 'clientSecret'>): ClientAuthentication =>
  clientAuth === 'none' || !clientSecret ? { method: 'none' } : { method: clientAuth, secret: clientSecret };
