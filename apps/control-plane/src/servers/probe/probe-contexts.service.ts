import { AccessTokens, tokenRequest } from '@gatehouse/access-tokens';
import type { AgentAuth, Caller } from '@gatehouse/agent-auth';
import type { CredentialContext, IdentitySigner } from '@gatehouse/app-auth';
import { snapshotDocument, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { IdentityKeys } from '@gatehouse/outbound-headers';
import { prepareServer } from '@gatehouse/upstream-request';
import { Inject, Injectable } from '@nestjs/common';
import { readIdentityKeys } from '../../caller-identity/read-identity-keys.ts';
import { TokenBroker } from '../../connections/broker/token-broker.service.ts';
import { ConnectionEgress } from '../../connections/connection-egress.service.ts';
import { Database } from '../../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { findPersonRow } from '../../identity/people.store.ts';
import type { Principal } from '../../identity/principal.ts';
import { Vault } from '../../vault/vault.ts';
import type { CompleteServer } from '../complete-servers.service.ts';

/** What the credentials of a probe are made of: what a data plane would make them of, for whoever asks for the probe. */
@Injectable()
export class ProbeContexts {
  readonly #broker: TokenBroker;
  readonly #egress: ConnectionEgress;
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #issuer: string;

  constructor(broker: TokenBroker, egress: ConnectionEgress, database: Database, vault: Vault, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#broker = broker;
    this.#egress = egress;
    this.#database = database;
    this.#vault = vault;
    this.#issuer = settings.CONTROL_PLANE_URL;
  }

  /** @param asking undefined where it is nobody's own tokens that are wanted. @throws GatewayError vault_sealed_value_unreadable */
  async of({ id, workspace, server }: CompleteServer, asking: Principal | undefined): Promise<CredentialContext> {
    // Its own, and gone with it: that a token was to be had before does not say that one is now.
    const tokens = new AccessTokens({ post: (body) => this.#ask(body), fetch: (url, init) => this.#egress.fetch(url, init), now: Date.now });
    return { server: prepareServer(id, workspace, server), caller: await this.#callerOf(server.agentAuth, asking), tokens, identity: await this.#signerOf(server) };
  }

  async #ask(body: string): Promise<{ status: number; body: string }> {
    return { status: 200, body: JSON.stringify(await this.#broker.answer(tokenRequest.parse(JSON.parse(body)))) };
  }

  /**
   * Who asks, in the way that this server knows its callers: what is used is that person's own, and nobody else's. Nobody where it knows
   * none of them, or where a token that a caller comes with would be more than who they are: there is none here.
   */
  async #callerOf(agentAuth: AgentAuth, asking: Principal | undefined): Promise<Caller | undefined> {
    if (asking?.kind !== 'person') return undefined;
    const { id, provider, name, email, groups } = asking.person;
    const who = { name, groups, ...(email !== undefined && { email }) };
    if (agentAuth.type === 'interactive') return { ...who, id: `person:${id}`, kind: 'person', subject: id, identityProvider: provider };
    if (agentAuth.type !== 'passthrough' || agentAuth.jwt === undefined) return undefined;
    const row = await findPersonRow(this.#database.sql, id);
    return row && { ...who, id: `token:${id}`, kind: 'token', subject: row.subject, issuer: row.issuer };
  }

  async #signerOf({ outboundHeaders = [] }: UpstreamServerDocument): Promise<IdentitySigner | undefined> {
    if (!outboundHeaders.some(({ source }) => source.type === 'caller-identity' && source.signed === true)) return undefined;
    const document = snapshotDocument.parse(await readIdentityKeys(this.#database.sql, this.#vault, this.#issuer));
    return document.kind === 'identity-keys' ? new IdentityKeys({ issuer: document.issuer, keys: document.keys, now: Date.now }) : undefined;
  }
}
