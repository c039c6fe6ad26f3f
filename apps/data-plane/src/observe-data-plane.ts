import { Gauge, type Registry } from 'prom-client';
import type { SnapshotStatus } from './snapshot/follow-snapshots.ts';

export interface ObservedDataPlane {
  readonly status: () => SnapshotStatus;
  readonly diskFailures: () => number;
  readonly bridgeSessions: () => number;
  readonly upstreamPools: () => number;
  readonly openCircuits: () => number;
  readonly openStreams: () => number;
}

/** What a data plane is at the moment, read when it is asked for. */
export function addDataPlaneGauges(registry: Registry, observed: ObservedDataPlane): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  const { status } = observed;
  gauge('gatehouse_snapshot_revision', 'Revision that is served.', () => status().snapshot?.state.revision ?? 0);
  gauge('gatehouse_snapshot_age_seconds', 'Since the snapshot was applied.', () => (Date.now() - (status().appliedAt ?? Date.now())) / 1000);
  gauge('gatehouse_snapshot_rejected_documents', 'Documents whose newest version could not be used.', () => status().rejects.length);
  gauge('gatehouse_snapshot_disk_failures', 'Snapshot files skipped or not written since the start.', observed.diskFailures);
  gauge('gatehouse_channel_degraded', '1 while the configuration channel is away.', () => (status().degraded ? 1 : 0));
  gauge('gatehouse_bridge_sessions', 'Sessions between callers and upstreams of different transports.', observed.bridgeSessions);
  gauge('gatehouse_upstream_pools', 'Connection pools to upstreams.', observed.upstreamPools);
  gauge('gatehouse_open_circuits', 'Upstream origins, and servers, that failed so often that nothing is sent there for now.', observed.openCircuits);
  gauge('gatehouse_open_streams', 'Event streams that are open to callers.', observed.openStreams);
}
