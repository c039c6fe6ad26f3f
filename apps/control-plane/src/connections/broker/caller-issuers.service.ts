import type { TokenSubject } from '@gatehouse/access-tokens';
import type { AgentAuth } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { findProviderOfIssuer } from '../../identity/providers/identity-providers.store.ts';
import { ProviderClients } from '../../identity/providers/provider-clients.service.ts';
import { issuedTokens } from './issued-tokens.ts';

/** Whose word it is when a server’s callers come with tokens: whoever writes its document also says which keys those are checked with. */
@Injectable()
export class CallerIssuers {
  readonly #database: Database;
  readonly #clients: ProviderClients;
  readonly #logger: Logger;

  constructor(database: Database, clients: ProviderClients, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#clients = clients;
    this.#logger = logger;
  }

  /** Why a subject is not taken for the person who is known by it; undefined where it is. */
  async refusalOf(agentAuth: AgentAuth | null, subject: TokenSubject): Promise<'no_person' | 'provider_unavailable' | 'misconfigured' | undefined> {
    if (subject === 'shared' || 'person' in subject) return undefined;
    try {
      return (await this.knows(agentAuth, subject.issuer)) ? undefined : 'no_person';
    } catch (error) {
      if (!(error instanceof GatewayError) || (error.code !== 'provider_unavailable' && error.code !== 'provider_misconfigured')) throw error;
      this.#logger.warn({ err: error, issuer: subject.issuer }, 'nobody can say which keys sign the tokens of callers');
      return error.code === 'provider_unavailable' ? 'provider_unavailable' : 'misconfigured';
    }
  }

  /**
   * Whether those whom an issuer’s tokens are about are the people who log in there: only where that issuer’s registered provider publishes
   * the keys that their tokens are checked with.
   * @throws GatewayError provider_unavailable, provider_misconfigured, vault_sealed_value_unreadable
   */
  async knows(agentAuth: AgentAuth | null, issuer: string): Promise<boolean> {
    const tokens = issuedTokens(agentAuth);
    if (tokens === undefined || !tokens.issuers.includes(issuer)) return false;
    const provider = await findProviderOfIssuer(this.#database.sql, issuer);
    if (provider === undefined) return false;
    const { configuration, document } = await this.#clients.of(provider);
    // Data planes go by `sub`: where people are known by another claim, one’s `sub` may be what another is known by.
    if ((document.claims?.subject ?? 'sub') !== 'sub') return false;
    const { jwks_uri: published } = configuration.serverMetadata();
    return published !== undefined && new URL(published).href === new URL(tokens.jwksUrl).href;
  }
}
