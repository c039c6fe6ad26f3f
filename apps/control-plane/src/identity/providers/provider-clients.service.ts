import type { IdentityProviderDocument } from '@gatehouse/gateway-config';
import { completeIdentityProvider } from '@gatehouse/gateway-config';
import { GatewayError } from '@gatehouse/errors';
import { UnsealError } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { allowInsecureRequests, type ClientAuth, ClientSecretBasic, ClientSecretPost, Configuration, customFetch, enableNonRepudiationChecks, type ServerMetadata } from 'openid-client';
import { Database } from '../../database/database.ts';
import { withValues } from '../../servers/plan-secrets.ts';
import { openSecret, readSealedSecrets } from '../../vault/secrets.store.ts';
import { gatewayItself, Vault } from '../../vault/vault.ts';
import { discoverProvider } from './discover-provider.ts';
import { secretOwnerOf } from './identity-providers.service.ts';
import type { IdentityProviderRow } from './identity-providers.store.ts';
import { ProviderEgress } from './provider-egress.service.ts';

/** A provider as we are its client. */
export interface ProviderClient {
  readonly document: IdentityProviderDocument;
  readonly configuration: Configuration;
}

interface Entry {
  readonly revision: number;
  readonly madeAt: number;
  readonly client: Promise<ProviderClient>;
}

/** Providers rarely change what they publish; their keys, which they do change, are read again when one is unknown. */
const lifetimeMs = 15 * 60_000;
const maxEntries = 200;

/** OpenID clients of the providers, each made when it is first needed and again when its document or its provider changed. */
@Injectable()
export class ProviderClients {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #egress: ProviderEgress;
  readonly #entries = new Map<string, Entry>();

  constructor(database: Database, vault: Vault, egress: ProviderEgress) {
    this.#database = database;
    this.#vault = vault;
    this.#egress = egress;
  }

  /** @throws GatewayError provider_unavailable, provider_misconfigured */
  async of(row: IdentityProviderRow): Promise<ProviderClient> {
    const known = this.#entries.get(row.id);
    const isCurrent = known?.revision === row.revision;
    if (isCurrent && Date.now() < known.madeAt + lifetimeMs) return known.client;
    const client = this.#make(row);
    if (this.#entries.size >= maxEntries) this.#entries.clear();
    this.#entries.set(row.id, { revision: row.revision, madeAt: Date.now(), client });
    try {
      return await client;
    } catch (error) {
      if (this.#entries.get(row.id)?.client === client) this.#entries.delete(row.id);
      // What it published a while ago is better than nobody logging in.
      if (!isCurrent || !(error instanceof GatewayError) || error.code !== 'provider_unavailable') throw error;
      this.#entries.set(row.id, known);
      return known.client;
    }
  }

  async #make(row: IdentityProviderRow): Promise<ProviderClient> {
    const document = await this.#open(row);
    const discovery = await discoverProvider(this.#egress.fetch, document.issuer);
    if ('unreachable' in discovery) throw new GatewayError('provider_unavailable', { detail: `identity provider ${row.name}`, cause: discovery.cause });
    if ('problems' in discovery) throw new GatewayError('provider_misconfigured', { detail: `identity provider ${row.name}: its issuer ${discovery.problems[0]?.detail}` });
    return { document, configuration: this.#configure(document, discovery.metadata) };
  }

  #configure({ issuer, clientId, clientSecret, clientAuth }: IdentityProviderDocument, metadata: ServerMetadata): Configuration {
    const configuration = new Configuration(metadata, clientId, undefined, authenticationOf(clientSecret.reveal(), clientAuth, metadata));
    configuration[customFetch] = (url, options) => this.#egress.fetch(url, options as RequestInit);
    configuration.timeout = 10;
    // ID tokens are verified by their signature too, and not only by the connection they came over.
    enableNonRepudiationChecks(configuration);
    // Only where the egress guard lets plain http go at all.
    if (issuer.startsWith('http:')) allowInsecureRequests(configuration);
    return configuration;
  }

  async #open(row: IdentityProviderRow): Promise<IdentityProviderDocument> {
    const { sql } = this.#database;
    try {
      const sealed = await readSealedSecrets(sql, 'identity_providers', [row.id]);
      const ring = await this.#vault.openingRing(sql, gatewayItself);
      const secrets = sealed.map((secret) => [secret.field, openSecret(ring, secretOwnerOf(row.id), secret)] as const);
      return completeIdentityProvider.parse(withValues(row.document, secrets));
    } catch (cause) {
      if (!(cause instanceof UnsealError)) throw cause;
      throw new GatewayError('vault_sealed_value_unreadable', { detail: `the secret of identity provider ${row.id}`, cause });
    }
  }
}

/**
 * In the body where the provider says that it takes it there: not every one decodes what RFC 6749 section 2.3.1 has encoded for
 * the header. One that does not say takes it in the header (RFC 8414 section 2).
 */
export function tokenAuthenticationOf(configured: 'basic' | 'post' | undefined, metadata: ServerMetadata): 'basic' | 'post' {
  return configured ?? (metadata.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true ? 'post' : 'basic');
}

function authenticationOf(secret: string, configured: 'basic' | 'post' | undefined, metadata: ServerMetadata): ClientAuth {
  return tokenAuthenticationOf(configured, metadata) === 'basic' ? ClientSecretBasic(secret) : ClientSecretPost(secret);
}
