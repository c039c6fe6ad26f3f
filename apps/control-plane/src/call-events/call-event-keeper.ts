import type { Database } from '../database/database.ts';
import { databaseErrorOf } from '../database/database-errors.ts';
import type { CallEvent } from './call-event.ts';
import { dayOf, makePartitions } from './call-event-partitions.ts';
import { insertCallEvents } from './call-events.store.ts';

export interface KeptCallEvents {
  readonly stored: number;
  /** They were there already: a batch came twice. */
  readonly duplicates: number;
  /** The database takes anything but these. */
  readonly refused: number;
}

const eventsPerStatement = 1_000;
const checkViolation = '23514';

/** Stores events, with partitions for their days. */
export class CallEventKeeper {
  readonly #database: Database;
  readonly #days = new Set<number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws GatewayError database_unavailable, and whatever else passes when it is tried again; what was stored by then is, and does no harm */
  async keep(events: readonly CallEvent[]): Promise<KeptCallEvents> {
    const days = [...new Set(events.map(({ at }) => dayOf(Date.parse(at))))].filter((day) => !this.#days.has(day));
    if (days.length > 0) await makePartitions(this.#database, days);
    for (const day of days) this.#days.add(day);
    const kept = { stored: 0, refused: 0 };
    for (let start = 0; start < events.length; start += eventsPerStatement) {
      const { stored, refused } = await this.#insert(events.slice(start, start + eventsPerStatement));
      kept.stored += stored;
      kept.refused += refused;
    }
    return { ...kept, duplicates: events.length - kept.stored - kept.refused };
  }

  async #insert(events: readonly CallEvent[]): Promise<{ stored: number; refused: number }> {
    try {
      return { stored: await insertCallEvents(this.#database.sql, events), refused: 0 };
    } catch (error) {
      const { code, constraint } = databaseErrorOf(error) ?? {};
      // No partition, as in a database that was restored from a backup: made anew next time.
      const isWithoutPartition = code === checkViolation && constraint === undefined;
      if (isWithoutPartition) this.#days.clear();
      if (isWithoutPartition || !isAboutData(code)) throw error;
      if (events.length === 1) return { stored: 0, refused: 1 };
      return this.#insertEach(events);
    }
  }

  /** One of them is not taken, whyever: the others must not be tried with it for ever. */
  async #insertEach(events: readonly CallEvent[]): Promise<{ stored: number; refused: number }> {
    const kept = { stored: 0, refused: 0 };
    for (const event of events) {
      const { stored, refused } = await this.#insert([event]);
      kept.stored += stored;
      kept.refused += refused;
    }
    return kept;
  }
}

/** SQLSTATE classes 22 and 23: what was given is no value, or breaks a rule. */
const isAboutData = (code: string | undefined): boolean => code?.startsWith('22') === true || code?.startsWith('23') === true;
