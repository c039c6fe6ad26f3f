import { revocationsId } from '@gatehouse/gateway-config';
import type { Logger } from '@gatehouse/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { SnapshotPublisher } from '../../snapshots/snapshot-publisher.service.ts';
import { takeRevision } from '../../snapshots/revisions.store.ts';
import { Vault } from '../../vault/vault.ts';
import { ConnectionClients } from '../connection-clients.service.ts';
import type { Connection } from '../connection.ts';
import { deleteConnections, lockConnections, namesOf, type OwnerAndClient, ownersOf, type WhichConnections } from '../connections.store.ts';
import { canRevoke, keepRevokingClient } from './keep-revoking-client.ts';
import { moveToPending } from './pending-revocations.store.ts';
import { RevokeAtProviders } from './revoke-at-providers.service.ts';
import type { RevokingClient } from './revocation-clients.ts';
import { insertTokenRevocations } from './token-revocations.store.ts';

/** By owner and client id: us as the client that gives tokens back. Owners whose provider takes none are not in it. */
export type RevokingClients = ReadonlyMap<string, RevokingClient>;

/** A connection that is no more, and what it was called then. */
export interface EndedConnection extends Connection {
  readonly workspace: string | null;
  readonly ownerName: string;
}

/**
 * The end of connections, always in three steps: `prepare` before the transaction, because it may ask others; `end` in it; `finish`
 * after it. From then on the tokens are gone here, data planes forget theirs with the next revision, and the provider is told.
 */
@Injectable()
export class Disconnections {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #clients: ConnectionClients;
  readonly #publisher: SnapshotPublisher;
  readonly #revoke: RevokeAtProviders;
  readonly #logger: Logger;

  constructor(database: Database, vault: Vault, clients: ConnectionClients, publisher: SnapshotPublisher, revoke: RevokeAtProviders, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#vault = vault;
    this.#clients = clients;
    this.#publisher = publisher;
    this.#revoke = revoke;
    this.#logger = logger;
  }

  /** A provider that cannot be told must not keep anyone from disconnecting. */
  async prepare(which: WhichConnections): Promise<RevokingClients> {
    const prepared = new Map<string, RevokingClient>();
    for (const owner of await ownersOf(this.#database.sql, which)) {
      const client = await this.#clientOf(owner);
      if (client && canRevoke(client)) prepared.set(keyOf(owner.id, owner.clientId), client);
    }
    return prepared;
  }

  /** Part of the transaction of whatever ends them. @returns what there was, for its audit events (`auditEnded`) */
  async end(sql: Sql, which: WhichConnections, clients: RevokingClients): Promise<EndedConnection[]> {
    const ended = await lockConnections(sql, which);
    if (ended.length === 0) return [];
    const names = await namesOf(sql, ended);
    for (const [key, rows] of Map.groupBy(ended, ({ ownerId, clientId }) => keyOf(ownerId, clientId))) {
      const client = clients.get(key);
      if (client) await this.#leaveToBeRevoked(sql, client, rows);
    }
    const ids = ended.map(({ id }) => id);
    await deleteConnections(sql, ids);
    // One name for many: a data plane compares each token's connection, owner and person with what is named.
    await insertTokenRevocations(sql, 'owner' in which ? [which.owner] : ids);
    await takeRevision(sql, [revocationsId]);
    return ended.map((row) => ({ ...row, workspace: names.get(row.workspaceId) ?? null, ownerName: names.get(row.ownerId) ?? row.ownerId }));
  }

  finish(): void {
    this.#publisher.nudge();
    this.#revoke.nudge();
  }

  async #clientOf({ kind, id, clientId }: OwnerAndClient): Promise<RevokingClient | undefined> {
    // Tokens of a login are the provider's business: giving them back would end its own session there, and other gateways' too.
    if (kind === 'identity-provider') return undefined;
    try {
      return (await this.#clients.of({ kind, id }, clientId)).client;
    } catch (error) {
      this.#logger.warn({ err: error, owner: id }, 'tokens end here without being revoked at their provider: its client cannot be known');
      return undefined;
    }
  }

  async #leaveToBeRevoked(sql: Sql, client: RevokingClient, rows: readonly Connection[]): Promise<void> {
    const clientId = await keepRevokingClient(sql, this.#vault, rows[0]?.workspaceId ?? '', client);
    await moveToPending(sql, clientId, rows.map(({ id }) => id));
  }
}

const keyOf = (ownerId: string, clientId: string | null): string => JSON.stringify([ownerId, clientId]);
