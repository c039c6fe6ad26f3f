import { performance } from 'node:perf_hooks';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../database/database.ts';
import { readRevision } from '../snapshots/revisions.store.ts';
import { prefix } from './metrics.ts';
import { Remembered } from './remembered.ts';
import { countConnections, readStoredState, type StoredState } from './stored-state.store.ts';

const storedForMs = 30_000;
/** Of millions it takes seconds, on each replica. */
const countedForMs = 300_000;
const countPatienceMs = 10_000;
const reportedForMs = 5_000;

/**
 * What is in the database and in the channel, the same by every replica. While they are away it is not known, and absent.
 * @param now milliseconds, monotonic
 */
export function registerStoredStateGauges(registry: Registry, database: Pick<Database, 'sql' | 'transaction'>, channel: Pick<SnapshotChannel, 'readHeartbeats'>, now: () => number = () => performance.now()): void {
  const stored = new Remembered(() => readStoredState(database.sql), storedForMs, now);
  const counted = new Remembered(() => countConnections(database, countPatienceMs), countedForMs, now);
  const gauge = (name: string, help: string, value: (state: StoredState) => number): void => {
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      async collect() {
        const state = await stored.value();
        if (state === undefined) this.remove();
        else this.set(value(state));
      },
    });
  };
  const gauges = (name: string, help: string, values: () => Promise<Readonly<Record<string, number>> | undefined>): void => {
    new Gauge({
      name: `${prefix}${name}`,
      help,
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const counts = await values();
        this.reset();
        for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
      },
    });
  };
  gauges('connections', 'Connections of people and organisations, by state: active, failing (its last refresh did not succeed), reconnect_required.', () => counted.value());
  gauge('revocations_waiting', 'Ended connections whose tokens are still to be given back to their provider.', ({ pendingRevocations }) => pendingRevocations);
  gauge('revocations_oldest_seconds', 'How long the oldest of them waits.', ({ oldestRevocationSeconds }) => oldestRevocationSeconds);
  gauges('vault_data_keys', 'Data keys of the vault, by state: staged, active, decrypt_only, destroyed.', async () => (await stored.value())?.dataKeys);
  gauge('vault_oldest_active_key_seconds', 'Age of the oldest data key that is sealed with.', ({ oldestActiveKeySeconds }) => oldestActiveKeySeconds);
  gauge('audit_events', 'Audit events in the chain.', ({ auditEvents }) => auditEvents);

  const reported = new Remembered(async () => stateOfDataPlanes(await Promise.all([channel.readHeartbeats(), readRevision(database.sql)])), reportedForMs, now);
  gauges('data_planes', 'Data planes that reported within the last minute, by state: current, drifting (it serves another revision than the newest), draining.', () => reported.value());
}

function stateOfDataPlanes([heartbeats, revision]: readonly [readonly { readonly draining: boolean; readonly revision?: number | undefined }[], number]): Record<string, number> {
  const counts = { current: 0, drifting: 0, draining: 0 };
  for (const { draining, revision: served } of heartbeats) {
    if (draining) counts.draining += 1;
    else counts[served === revision ? 'current' : 'drifting'] += 1;
  }
  return counts;
}
