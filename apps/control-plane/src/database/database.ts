import { GatewayError } from '@gatehouse/errors';
import type { DataSource, QueryRunner } from 'typeorm';
import { asGatewayError, isConnectionFailure, isUnavailable } from './database-errors.ts';
import type { Sql } from './sql.ts';

interface Connection {
  readonly connection?: { readonly stream?: { destroy(): void } };
}

/** How many connections there are, and of these are unused, and who waits for one. */
export interface PoolUse {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max: number;
}

/** What there is of pg's pool before it is connected: nothing. */
interface DriverWithPool {
  readonly master?: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number; readonly options: { readonly max?: number } };
}

/**
 * A transaction holds what others wait for. Over a line that is slow enough each of its statements is in time, and all of them
 * together take minutes.
 */
const defaultTransactionTimeoutMs = 30_000;

/** The database as stores see it: statements and transactions, with errors that say whether trying again makes sense. */
export class Database {
  readonly #dataSource: DataSource;
  readonly #transactionTimeoutMs: number;
  /** When a statement was last answered. */
  #answeredAt: number | undefined;
  #failing = false;

  constructor(dataSource: DataSource, transactionTimeoutMs = defaultTransactionTimeoutMs) {
    this.#dataSource = dataSource;
    this.#transactionTimeoutMs = transactionTimeoutMs;
  }

  /** One statement on its own. */
  readonly sql: Sql = (text, parameters) => this.#connected((sql) => sql(text, parameters));

  /** @throws GatewayError commit_unknown, where it may have been committed; after any other error it was not */
  transaction<T>(run: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#connected(async (sql) => {
      await sql('begin');
      const result = await run(untilLate(sql, this.#transactionTimeoutMs)).catch(async (error: unknown) => {
        // On a broken connection there is nothing to roll back, and its error is not the one to report.
        if (!isConnectionFailure(error)) await sql('rollback').catch(() => undefined);
        throw error;
      });
      await commit(sql);
      return result;
    });
  }

  readonly pool = (): PoolUse => {
    const { master } = this.#dataSource.driver as DriverWithPool;
    const { totalCount: total = 0, idleCount: idle = 0, waitingCount: waiting = 0, options } = master ?? {};
    return { total, idle, waiting, max: options?.max ?? 0 };
  };

  get state(): 'untried' | 'up' | 'down' {
    if (this.#failing) return 'down';
    return this.#answeredAt === undefined ? 'untried' : 'up';
  }

  async #connected<T>(run: (sql: Sql) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      return await run(await this.#connect(runner));
    } catch (error) {
      throw asGatewayError(error);
    } finally {
      await runner.release();
    }
  }

  async #connect(runner: QueryRunner): Promise<Sql> {
    let connection: Connection;
    try {
      connection = (await runner.connect()) as Connection;
    } catch (error) {
      this.#failing = true;
      throw new GatewayError('database_unavailable', { cause: error });
    }
    return async <Row extends object>(text: string, parameters?: readonly unknown[]) => {
      try {
        const result = await runner.query(text, parameters as unknown[] | undefined, true);
        this.#answeredAt = Date.now();
        this.#failing = false;
        return result.records as Row[];
      } catch (error) {
        if (isConnectionFailure(error)) {
          this.#failing = true;
          // After a timeout the driver would hand the same half-open connection to the next caller.
          connection.connection?.stream?.destroy();
        }
        throw error;
      }
    };
  }
}

/** Begins no more statements after that time. */
function untilLate(sql: Sql, timeoutMs: number): Sql {
  const endsAt = performance.now() + timeoutMs;
  return (text, parameters) => {
    if (performance.now() <= endsAt) return sql(text, parameters);
    return Promise.reject(new GatewayError('database_unavailable', { detail: `a transaction reached its timeout of ${timeoutMs} ms` }));
  };
}

/** A commit whose answer does not come may have been made all the same: to say that nothing was changed would be a guess. */
async function commit(sql: Sql): Promise<void> {
  try {
    await sql('commit');
  } catch (error) {
    throw isUnavailable(error) ? new GatewayError('commit_unknown', { cause: error }) : error;
  }
}
