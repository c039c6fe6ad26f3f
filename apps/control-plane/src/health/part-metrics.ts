import { Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../database/database.ts';
import type { Vault } from '../vault/vault.ts';
import { prefix } from './metrics.ts';

/** What parts of the control plane count themselves, read when it is asked for. */
export function registerPartMetrics(registry: Registry, { pool }: Pick<Database, 'pool'>, { use }: Pick<Vault, 'use'>): void {
  const registers = [registry];
  new Gauge({
    name: `${prefix}database_connections`,
    help: 'Connections of the pool to Postgres, by state: used, idle.',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, idle } = pool();
      this.set({ state: 'used' }, total - idle);
      this.set({ state: 'idle' }, idle);
    },
  });
  new Gauge({
    name: `${prefix}database_connections_max`,
    help: 'How many the pool may have.',
    registers,
    collect() {
      this.set(pool().max);
    },
  });
  new Gauge({
    name: `${prefix}database_waiting`,
    help: 'Who waits for a connection of the pool.',
    registers,
    collect() {
      this.set(pool().waiting);
    },
  });
  new Counter({
    name: `${prefix}vault_operations_total`,
    help: 'Of the vault: values to be sealed (seal), and times that somebody took keys to open what is sealed (open).',
    labelNames: ['operation'],
    registers,
    collect() {
      this.reset();
      this.inc({ operation: 'seal' }, use.seals);
      this.inc({ operation: 'open' }, use.openings);
    },
  });
  new Counter({
    name: `${prefix}vault_unwrapped_keys_total`,
    help: 'Data keys that the root key, or a key management service, was asked to unwrap, by outcome: ok, failed.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      this.inc({ outcome: 'ok' }, use.unwrapped);
      this.inc({ outcome: 'failed' }, use.unwrapFailures);
    },
  });
}
