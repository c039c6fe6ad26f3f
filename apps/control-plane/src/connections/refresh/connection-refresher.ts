import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '@gatehouse/errors';
import { OAuthFailure, refreshTokens, type TokenSet } from '@gatehouse/oauth-client';
import type { Logger } from '@gatehouse/service-runtime';
import type { Database } from '../../database/database.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { ConnectionClients } from '../connection-clients.service.ts';
import type { ConnectionTokens, OwnerClient } from '../connection.ts';
import { readConnection, type SealedConnection } from '../connections.store.ts';
import { mayFollow } from '../id-token-claims.ts';
import { canRevoke, keepRevokingClient } from '../disconnect/keep-revoking-client.ts';
import { insertPendingRevocation } from '../disconnect/pending-revocations.store.ts';
import type { Vault } from '../../vault/vault.ts';
import type { TokenSeals } from '../token-seals.ts';
import { nextRefreshSeconds, pauseSeconds } from './refresh-schedule.ts';
import { type Held, isInDoubt, type LeasedConnection, lockHeld, returnLease, storeFailure, storeRefreshed, storeRefusal, storeUnrefreshable, takeLease } from './refresh.store.ts';

export type RefreshOutcome =
  /** Tokens are there that were not there before, whoever refreshed them. */
  | { readonly result: 'renewed'; readonly row: SealedConnection }
  /** The provider does not take the refresh token any more, and no other has come since. */
  | { readonly result: 'refused' }
  /** Not now; nothing is lost. */
  | { readonly result: 'unavailable' | 'misconfigured' }
  /** Another replica has the lease, or it waits for its turn. */
  | { readonly result: 'busy' }
  /** The last answer was lost, and the access token is good: nothing is risked before it has expired (docs/decisions/0007). */
  | { readonly result: 'in-doubt' }
  | { readonly result: 'gone' };

export interface RefreshTimes {
  readonly leaseMs: number;
  /** Of the request with its answer; well below the lease. */
  readonly requestMs: number;
  /** How often one who waits looks whether another replica is done; many together no more often than a few. */
  readonly lookMs: number;
  /** How long tokens that the database does not take are kept and tried again. */
  readonly storeMs: number;
}

/** As many as may look without a thought for the others: beyond, each looks less often, so that the database has time for something else. */
const lookersAtOnce = 20;

export const refreshTimes: RefreshTimes = { leaseMs: 10_000, requestMs: 7_000, lookMs: 150, storeMs: 300_000 };

export interface RefresherParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly seals: TokenSeals;
  readonly clients: ConnectionClients;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly times?: RefreshTimes;
}

export interface RefreshOptions {
  /** An upstream refused the access token: it is of no more use. */
  readonly isRefused?: boolean;
  /** How long to wait for another replica; not at all when absent. */
  readonly patienceMs?: number;
}

type Seen = Pick<SealedConnection, 'id' | 'tokenVersion'>;

/**
 * Refreshes tokens, each exactly once, on however many replicas: one at a time in this process, one process at a time by a lease on the
 * row, which is taken and given back in statements of their own, so that no connection to the database waits for a provider; and
 * what comes is stored only if the row still has the lease and the version of the tokens that were sent.
 */
export class ConnectionRefresher {
  readonly #parts: RefresherParts;
  readonly #times: RefreshTimes;
  readonly #running = new Map<string, Promise<RefreshOutcome>>();
  /** Callers between two looks. */
  #waiting = 0;

  constructor(parts: RefresherParts) {
    this.#parts = parts;
    this.#times = parts.times ?? refreshTimes;
  }

  /** Other tokens than those of `seen`. Of many who ask for the same, one does something. Never rejects for what a provider does. */
  async refresh(seen: Seen, { isRefused = false, patienceMs = 0 }: RefreshOptions = {}): Promise<RefreshOutcome> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const outcome = await this.#once(seen, isRefused);
      const leftMs = deadline - performance.now();
      // Of one that was refused nothing is left to lose: the doubt was of another's attempt, for whom it was good.
      const mayChange = outcome.result === 'busy' || (outcome.result === 'in-doubt' && isRefused);
      if (!mayChange || leftMs <= 0) return outcome;
      await this.#pause(leftMs);
    }
  }

  async #pause(leftMs: number): Promise<void> {
    this.#waiting += 1;
    const lookMs = this.#times.lookMs * Math.max(1, this.#waiting / lookersAtOnce);
    await delay(Math.min(leftMs, lookMs * (0.75 + Math.random() / 2)));
    this.#waiting -= 1;
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  #once(seen: Seen, isRefused: boolean): Promise<RefreshOutcome> {
    const key = `${seen.id}/${seen.tokenVersion}`;
    const running = this.#running.get(key);
    if (running) return running;
    const attempt = this.#attempt(seen, isRefused).finally(() => this.#running.delete(key));
    this.#running.set(key, attempt);
    return attempt;
  }

  async #attempt(seen: Seen, isRefused: boolean): Promise<RefreshOutcome> {
    const { sql } = this.#parts.database;
    const now = await readConnection(sql, seen.id);
    const settled = settledBy(now, seen);
    if (settled) return settled;
    const row = now as SealedConnection;
    if (row.isLeased) return { result: 'busy' };
    if (row.isPausing) return { result: row.failure === 'misconfigured' ? 'misconfigured' : 'unavailable' };
    const owner = await this.#clientOf(row);
    if ('result' in owner) return owner;

    // The lease as the database counts it began after this, so that it ends no sooner than is thought here.
    const since = stopwatch();
    const { leaseMs } = this.#times;
    const lease: Held = { id: row.id, tokenVersion: row.tokenVersion, leaseOwner: randomUUID() };
    const { rotates, reuseSeconds = 0 } = owner.refresh;
    const leased = await takeLease(sql, { ...lease, leaseSeconds: leaseMs / 1000, rotates, reuseSeconds, isRefused });
    if (leased) return this.#refreshLeased(leased, lease, owner, since);
    return settledBy(await readConnection(sql, seen.id), seen) ?? { result: (await isInDoubt(sql, seen.id)) ? 'in-doubt' : 'busy' };
  }

  async #clientOf({ ownerKind: kind, ownerId: id, clientId }: SealedConnection): Promise<OwnerClient | RefreshOutcome> {
    try {
      return await this.#parts.clients.of({ kind, id }, clientId);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'database_unavailable') throw error;
      this.#parts.logger.warn({ err: error, owner: id }, 'the client of a connection cannot be known');
      return { result: error.code === 'provider_unavailable' ? 'unavailable' : 'misconfigured' };
    }
  }

  async #refreshLeased(row: LeasedConnection, lease: Held, owner: OwnerClient, since: () => number): Promise<RefreshOutcome> {
    const { database, seals, metrics } = this.#parts;
    const { leaseMs, requestMs } = this.#times;
    const former = await seals.open(row).catch(async (error: unknown) => {
      await returnLease(database.sql, lease);
      throw error;
    });
    if (!former.refreshToken) {
      await storeUnrefreshable(database.sql, lease);
      return { result: 'busy' };
    }
    // Whoever slept since the lease was taken does not know who has it by now: what is sent after its end is sent twice.
    if (since() > leaseMs - requestMs) {
      await returnLease(database.sql, lease);
      return { result: 'busy' };
    }
    const begunAt = performance.now();
    const answered = (answer: string): void => metrics.tokenRefreshDuration.observe({ answer }, (performance.now() - begunAt) / 1000);
    try {
      const tokens = await refreshTokens({ ...owner.client, timeoutMs: requestMs }, former.refreshToken, row.scopes).catch((error: unknown) => {
        answered(error instanceof OAuthFailure ? error.kind : 'unavailable');
        throw error;
      });
      answered('answered');
      return await this.#store(row, lease, owner, former, tokens);
    } catch (error) {
      if (error instanceof OAuthFailure) return this.#fail(row, lease, error);
      throw error;
    }
  }

  /** The former refresh token may be gone at the provider by now: what came is tried to be stored for as long as it may be of use. */
  async #store(row: LeasedConnection, lease: Held, owner: OwnerClient, former: ConnectionTokens, tokens: TokenSet): Promise<RefreshOutcome> {
    const { metrics, logger } = this.#parts;
    const since = stopwatch();
    for (let failures = 0; ; failures += 1) {
      try {
        const stored = await this.#storeOnce(row, lease, owner, former, tokens);
        metrics.tokenRefreshes.inc({ outcome: stored ? 'renewed' : 'superseded' });
        return stored ? { result: 'renewed', row: stored } : await this.#supersede(row, owner, former, tokens);
      } catch (error) {
        if (since() > this.#times.storeMs) throw error;
        logger.warn({ err: error, connection: row.id }, 'refreshed tokens could not be stored yet; trying again');
        await delay(Math.min(100 * 2 ** failures, 5_000));
      }
    }
  }

  #storeOnce(row: LeasedConnection, lease: Held, owner: OwnerClient, former: ConnectionTokens, tokens: TokenSet): Promise<SealedConnection | undefined> {
    const { database, seals } = this.#parts;
    const { accessToken, refreshToken = former.refreshToken, expiresInSeconds } = tokens;
    const idToken = mayFollow(former, tokens) ? tokens.idToken : former.idToken;
    return database.transaction(async (sql) => {
      if (!(await lockHeld(sql, lease))) return undefined;
      return storeRefreshed(sql, lease, {
        ...(await seals.seal(sql, row, { accessToken, refreshToken, idToken })),
        rotated: refreshToken?.reveal() !== former.refreshToken?.reveal(),
        expiresInSeconds: expiresInSeconds ?? null,
        nextRefreshSeconds: nextRefreshSeconds(expiresInSeconds, owner.refresh),
      });
    });
  }

  /** Another's change came first and counts. Where that was the end of the connection, these tokens end too. */
  async #supersede(row: LeasedConnection, owner: OwnerClient, former: ConnectionTokens, tokens: TokenSet): Promise<RefreshOutcome> {
    const now = await readConnection(this.#parts.database.sql, row.id);
    if (!now) {
      const { accessToken, refreshToken = former.refreshToken } = tokens;
      if (canRevoke(owner.client)) await this.#leaveToBeRevoked(row, owner, { accessToken, refreshToken, idToken: undefined });
      return { result: 'gone' };
    }
    // After a commit whose answer did not come, they are these very tokens.
    return settledBy(now, row) ?? { result: 'busy' };
  }

  #leaveToBeRevoked(row: LeasedConnection, { client }: OwnerClient, tokens: ConnectionTokens): Promise<void> {
    const { database, vault, seals } = this.#parts;
    const { id, workspaceId, ownerId, personId } = row;
    return database.transaction(async (sql) => {
      const clientId = await keepRevokingClient(sql, vault, workspaceId, client);
      await insertPendingRevocation(sql, { clientId, connectionId: id, workspaceId, ownerId, personId, ...(await seals.seal(sql, row, tokens)) });
    });
  }

  async #fail(row: LeasedConnection, lease: Held, failure: OAuthFailure): Promise<RefreshOutcome> {
    const { database, metrics, logger } = this.#parts;
    const { sql } = database;
    logger.warn({ err: failure, connection: row.id, owner: row.ownerId, kind: failure.kind }, 'tokens could not be refreshed');
    if (failure.kind !== 'refused') {
      metrics.tokenRefreshes.inc({ outcome: failure.kind });
      const { mayHaveActed, kind } = failure;
      await storeFailure(sql, lease, { failure: kind === 'unavailable' ? 'provider_unavailable' : kind, mayHaveActed, pauseSeconds: pauseSeconds(row.failures) });
      return { result: kind };
    }
    const reason = row.isInDoubt ? 'lost_rotation' : 'refused';
    // Only if the row still has the version and the lease: else the provider refused a token that another had already changed.
    if (!(await storeRefusal(sql, lease, reason))) return settledBy(await readConnection(sql, row.id), row) ?? { result: 'busy' };
    metrics.tokenRefreshes.inc({ outcome: reason });
    if (reason === 'lost_rotation') metrics.lostRotations.inc();
    return { result: 'refused' };
  }
}

/** What a row says to who has seen an earlier state of it; nothing, where it is still for someone to do something. */
function settledBy(now: SealedConnection | undefined, seen: Seen): RefreshOutcome | undefined {
  if (!now) return { result: 'gone' };
  if (now.tokenVersion !== seen.tokenVersion) return { result: 'renewed', row: now };
  return now.state === 'reconnect_required' || !now.refreshable ? { result: 'refused' } : undefined;
}

/** Milliseconds since it was made: by the clock that knows of a sleeping machine, or by the one that nobody can set, whichever is more. */
function stopwatch(): () => number {
  const [monotonic, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
}
