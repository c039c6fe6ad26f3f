import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../audit/append-audit-event.ts';
import { Database } from '../database/database.ts';
import { isUuid } from '../database/uuid-v7.ts';
import type { ChangeAuthor } from '../http/actor.ts';
import { type Page, pageOf, type PageQuery } from '../http/page.ts';
import type { ReadableConnection, ReadableConnectLink } from './connection.dto.ts';
import { ConnectLinks } from './connect-links.service.ts';
import { type ConnectionFilter, listConnections, type ListedConnection } from './connections.store.ts';
import { kindOf } from './disconnect/audit-ended.ts';
import { Disconnections } from './disconnect/disconnections.service.ts';
import { presentConnection, presentLink } from './present-connection.ts';

/** Whose connections are meant: everyone's of a workspace, or a person's in all of them. */
export type ConnectionScope = { readonly workspaceId: string } | { readonly personId: string };

/** Connections as people and administrators manage them. */
@Injectable()
export class ManageConnections {
  readonly #database: Database;
  readonly #disconnections: Disconnections;
  readonly #links: ConnectLinks;

  constructor(database: Database, disconnections: Disconnections, links: ConnectLinks) {
    this.#database = database;
    this.#disconnections = disconnections;
    this.#links = links;
  }

  async list(scope: ConnectionScope, { after, limit }: PageQuery, filter: ConnectionFilter): Promise<Page<ReadableConnection>> {
    return pageOf(await listConnections(this.#database.sql, { ...filter, ...scope }, after, limit + 1), limit, ({ id }) => id, presentConnection);
  }

  async read(scope: ConnectionScope, id: string): Promise<ReadableConnection> {
    return presentConnection(await this.#find(scope, id));
  }

  /** @throws GatewayError not_found */
  async disconnect(scope: ConnectionScope, id: string, actor: ChangeAuthor): Promise<void> {
    const row = await this.#find(scope, id);
    const which = { connection: row.id, ...scope };
    const clients = await this.#disconnections.prepare(which);
    await this.#database.transaction(async (sql) => {
      const [ended] = await this.#disconnections.end(sql, which, clients);
      if (!ended) throw new GatewayError('not_found', { detail: 'connection' });
      await appendAuditEvent(sql, {
        actor, action: 'connection.disconnected', workspace: ended.workspace, targetKind: 'Connection', targetId: row.id, targetName: ended.ownerName, fields: [kindOf(ended.personId)],
      });
    });
    this.#disconnections.finish();
  }

  /** For the person whose connection it is, whoever asks for it. */
  async reconnectLink(scope: ConnectionScope, id: string): Promise<ReadableConnectLink> {
    const { workspaceId, ownerKind, ownerId, personId } = await this.#find(scope, id);
    if (ownerKind === 'identity-provider') throw new GatewayError('not_found', { detail: 'connection' });
    return presentLink(await this.#links.connectLinkFor({ workspaceId, ownerKind, ownerId, personId: personId ?? undefined, scopes: [] }));
  }

  async #find(scope: ConnectionScope, id: string): Promise<ListedConnection> {
    const [row] = isUuid(id) ? await listConnections(this.#database.sql, { ...scope, id }, undefined, 1) : [];
    if (!row) throw new GatewayError('not_found', { detail: 'connection' });
    return row;
  }
}
