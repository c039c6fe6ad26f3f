import { revocationsId } from '@gatehouse/gateway-config';
import type { TokenSet } from '@gatehouse/oauth-client';
import { GatewayError } from '@gatehouse/errors';
import { Injectable } from '@nestjs/common';
import { violates } from '../database/database-errors.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { SnapshotPublisher } from '../snapshots/snapshot-publisher.service.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { Vault } from '../vault/vault.ts';
import type { ConnectionOwner, ConnectionTokens, OwnerClient } from './connection.ts';
import { deleteConnections, findHeld, insertConnection, type NewConnection, ownerExists, type SealedConnection } from './connections.store.ts';
import { canRevoke, keepRevokingClient } from './disconnect/keep-revoking-client.ts';
import { moveToPending } from './disconnect/pending-revocations.store.ts';
import { RevokeAtProviders } from './disconnect/revoke-at-providers.service.ts';
import { insertTokenRevocations } from './disconnect/token-revocations.store.ts';
import { isSameAccount } from './id-token-claims.ts';
import { nextRefreshSeconds } from './refresh/refresh-schedule.ts';
import { scopesWithin } from './scopes-within.ts';
import { TokenSeals } from './token-seals.ts';

export interface MadeConnection {
  readonly owner: ConnectionOwner;
  /** Undefined: the organisation's. */
  readonly personId: string | undefined;
  readonly tokens: TokenSet;
  /** What was asked for. What the provider says it gave may have other names; both count as there. */
  readonly requestedScopes: readonly string[];
  /** What the person is called at the provider, where that is known. */
  readonly account?: string | undefined;
  /** Whom the tokens were given to. */
  readonly client: OwnerClient;
}

/** Of the scopes that a provider's answer names. */
const maxNamedLength = 4_000;

/** Puts connections where tokens are found. */
@Injectable()
export class Connections {
  readonly #seals: TokenSeals;
  readonly #vault: Vault;
  readonly #publisher: SnapshotPublisher;
  readonly #revoke: RevokeAtProviders;

  constructor(seals: TokenSeals, vault: Vault, publisher: SnapshotPublisher, revoke: RevokeAtProviders) {
    this.#seals = seals;
    this.#vault = vault;
    this.#publisher = publisher;
    this.#revoke = revoke;
  }

  /**
   * A connection that was just agreed to, in the transaction that used its state; `finish` after it. It takes the place of a former
   * one with an id of its own, so that whatever is still under way for that one comes to nothing, and data planes forget its token.
   * The former tokens are given back only where they are known to be of another account: at many providers that would end the new ones.
   * @returns its id
   * @throws GatewayError conflict where the owner is gone
   */
  async save(sql: Sql, { owner, personId, tokens, requestedScopes, account, client }: MadeConnection): Promise<string> {
    if (!(await ownerExists(sql, owner))) throw new GatewayError('conflict', { detail: `${owner.kind} ${owner.id} was deleted` });
    const former = await findHeld(sql, owner.id, personId ?? null);
    const { accessToken, idToken, expiresInSeconds, scope = [] } = tokens;
    const clientId = owner.kind === 'server' ? client.client.clientId : undefined;
    const isSameClient = (former?.clientId ?? undefined) === clientId;
    const held = former && (await this.#tokensOf(former));
    const isSame = held && isSameAccount(held, tokens);
    // Some providers give a refresh token with the first consent only; it stays good, as long as it is the same account.
    const refreshToken = tokens.refreshToken ?? (isSame === true && isSameClient && former?.state === 'active' ? held?.refreshToken : undefined);
    const id = uuidV7();
    const sealed = await this.#seals.seal(sql, { id, workspaceId: owner.workspaceId, ownerId: owner.id, personId: personId ?? null }, { accessToken, refreshToken, idToken });
    if (former && isSame === false && isSameClient && canRevoke(client.client)) {
      await moveToPending(sql, await keepRevokingClient(sql, this.#vault, former.workspaceId, client.client), [former.id]);
    }
    if (former) await deleteConnections(sql, [former.id]);
    await this.#insert(sql, {
      id, owner, clientId, personId: personId ?? null, sessionId: null, ...sealed,
      refreshable: refreshToken !== undefined,
      scopes: [...new Set([...requestedScopes, ...scopesWithin(scope, maxNamedLength)])],
      account: account ?? null,
      expiresInSeconds: expiresInSeconds ?? null,
      nextRefreshSeconds: refreshToken === undefined ? null : nextRefreshSeconds(expiresInSeconds, client.refresh),
    });
    if (former) {
      await insertTokenRevocations(sql, [former.id]);
      await takeRevision(sql, [revocationsId]);
    }
    return id;
  }

  /** What cannot be opened any more keeps nobody from connecting again. */
  async #tokensOf(former: SealedConnection): Promise<ConnectionTokens | undefined> {
    return this.#seals.open(former).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === 'vault_sealed_value_unreadable') return undefined;
      throw error;
    });
  }

  finish(): void {
    this.#publisher.nudge();
    this.#revoke.nudge();
  }

  /** Of two answers for one person at the same moment, the first one counts. */
  async #insert(sql: Sql, connection: NewConnection): Promise<void> {
    await insertConnection(sql, connection).catch((cause: unknown) => {
      throw ['connections_person_owner', 'connections_shared_owner'].some((index) => violates(cause, index)) ? new GatewayError('conflict', { cause }) : cause;
    });
  }
}
