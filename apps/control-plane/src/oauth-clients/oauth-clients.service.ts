import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { errors } from 'oidc-provider';
import { AgentGrants } from '../agents-oauth/agent-grants.service.ts';
import { AuthorizationServer } from '../agents-oauth/authorization-server.service.ts';
import { registeredPrefix } from '../agents-oauth/client-identity.ts';
import { OAuthState, type Payload, stateKey } from '../agents-oauth/oauth-state.service.ts';
import { deleteState } from '../agents-oauth/oauth-state.store.ts';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { auditTargetId } from '../audit/audit-target-id.ts';
import { Database } from '../database/database.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import { parseDocument } from '../http/parse-document.ts';
import { randomToken } from '../identity/random-token.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { type ReadableOAuthClient, type RegisteredOAuthClient, writableOAuthClient } from './oauth-client.dto.ts';
import { listOAuthClients, type Registration } from './oauth-clients.store.ts';

const methods = { none: 'none', secret: 'client_secret_basic', keys: 'private_key_jwt' } as const;

/** The library's own, which validates; its types leave the parameter out. */
type ClientConstructor = new (metadata: object) => { metadata(): object };

/** Clients that administrators register for their people, and those that registered themselves. */
@Injectable()
export class OAuthClients {
  readonly #database: Database;
  readonly #state: OAuthState;
  readonly #server: AuthorizationServer;
  readonly #grants: AgentGrants;
  readonly #publisher: SnapshotPublisher;

  constructor(database: Database, state: OAuthState, server: AuthorizationServer, grants: AgentGrants, publisher: SnapshotPublisher) {
    this.#database = database;
    this.#state = state;
    this.#server = server;
    this.#grants = grants;
    this.#publisher = publisher;
  }

  async list(registration: Registration | undefined, { after, limit }: PageQuery): Promise<Page<ReadableOAuthClient>> {
    const rows = await listOAuthClients(this.#database.sql, registration, after === undefined ? undefined : Buffer.from(after, 'base64url'), limit + 1);
    const payloads = await this.#state.open(rows);
    return pageOf(rows.map((row, index) => ({ ...row, payload: payloads[index] ?? {} })), limit, ({ idHash }) => idHash.toString('base64url'), present);
  }

  async register(body: unknown, actor: ChangeAuthor): Promise<RegisteredOAuthClient> {
    const { name, redirectUris, authentication = 'none', jwks } = parseDocument(writableOAuthClient, body);
    const clientId = registeredPrefix + randomToken();
    const clientSecret = authentication === 'secret' ? randomToken() : undefined;
    const now = new Date();
    const payload = await this.#settled({
      client_id: clientId, client_name: name, redirect_uris: redirectUris, token_endpoint_auth_method: methods[authentication], client_id_issued_at: Math.floor(now.getTime() / 1_000),
      ...(jwks && { jwks }), ...(clientSecret !== undefined && { client_secret: clientSecret, client_secret_expires_at: 0 }),
    });
    await this.#database.transaction(async (sql) => {
      await this.#state.put({ model: 'Client', id: clientId, payload }, sql);
      await appendAuditEvent(sql, { actor, action: 'oauth-client.created', workspace: null, targetKind: 'OAuthClient', targetId: auditTargetId(clientId), targetName: clientId, fields: ['/authentication', '/name', '/redirectUris'] });
    });
    return { ...present({ payload, createdAt: now, expiresAt: null }), ...(clientSecret !== undefined && { clientSecret }) };
  }

  /** Also one that registered itself. Everybody is logged out of it. */
  async delete(clientId: string, actor: ChangeAuthor): Promise<void> {
    if ((await this.#state.find('Client', clientId)) === undefined) throw new GatewayError('not_found', { detail: 'OAuth client' });
    await this.#database.transaction(async (sql) => {
      await this.#grants.revokeOfClient(sql, clientId);
      await deleteState(sql, stateKey('Client', clientId));
      await appendAuditEvent(sql, { actor, action: 'oauth-client.deleted', workspace: null, targetKind: 'OAuthClient', targetId: auditTargetId(clientId), targetName: clientId, fields: [] });
    });
    this.#publisher.nudge();
  }

  /** As the library takes it, and by the rules that there are for every client. */
  async #settled(metadata: { readonly client_id: string } & Record<string, unknown>): Promise<Payload> {
    const provider = await this.#server.provider();
    try {
      return { ...new (provider.Client as unknown as ClientConstructor)(metadata).metadata() };
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      const isRedirect = error.message === 'invalid_redirect_uri';
      throw new GatewayError('validation_failed', { problems: [{ pointer: isRedirect ? '/redirectUris' : '', detail: error.error_description ?? 'is not valid', code: 'invalid_value' }] });
    }
  }
}

function present({ payload, createdAt, expiresAt }: { readonly payload: Payload; readonly createdAt: Date; readonly expiresAt: Date | null }): ReadableOAuthClient {
  const { client_id: clientId, client_name: name, redirect_uris: redirectUris, token_endpoint_auth_method: method } = payload;
  return {
    clientId: textOf(clientId),
    name: textOf(name),
    redirectUris: Array.isArray(redirectUris) ? redirectUris.map(textOf) : [],
    authentication: method === 'none' ? 'none' : method === 'private_key_jwt' ? 'keys' : 'secret',
    registration: expiresAt === null ? 'administrator' : 'self',
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
