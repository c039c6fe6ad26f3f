import { Gauge, type Registry } from 'prom-client';
import type { SnapshotStatus } from './snapshot/follow-snapshots.ts';

export interface ObservedDataPlane {
  readonly status: () => SnapshotStatus;
  readonly diskFailures: () => number;
  readonly bridgeSessions: () => number;
  readonly upstreamPools: () => number;
  readonly openCircuits: () => number;
  readonly openStreams: () => number;
  readonly requestsInFlight: () => number;
}

/** What a data plane is at the moment, read when it is asked for. */
export function addDataPlaneGauges(registry: Registry, observed: ObservedDataPlane): void {
  // How the workers of one machine are one: the revision of the last of them, say, and the streams of all.
  const gauge = (name: string, help: string, value: () => number, aggregator: 'sum' | 'min' | 'max' = 'sum'): void => {
    new Gauge({
      name,
      help,
      aggregator,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  const { status } = observed;
  gauge('gatehouse_snapshot_revision', 'Revision that is served.', () => status().snapshot?.state.revision ?? 0, 'min');
  gauge('gatehouse_snapshot_age_seconds', 'Since the snapshot was applied.', () => (Date.now() - (status().appliedAt ?? Date.now())) / 1000, 'max');
  gauge('gatehouse_snapshot_documents', 'Documents of the snapshot that is served.', () => status().snapshot?.documents.size ?? 0, 'max');
  gauge('gatehouse_snapshot_rejected_documents', 'Documents whose newest version could not be used.', () => status().rejects.length, 'max');
  gauge('gatehouse_snapshot_disk_failures', 'Snapshot files skipped or not written since the start.', observed.diskFailures);
  gauge('gatehouse_channel_degraded', '1 while the configuration channel is away.', () => (status().degraded ? 1 : 0), 'max');
  gauge('gatehouse_bridge_sessions', 'Sessions between callers and upstreams of different transports.', observed.bridgeSessions);
  gauge('gatehouse_upstream_pools', 'Connection pools to upstreams.', observed.upstreamPools);
  gauge('gatehouse_open_circuits', 'Upstream origins, and servers, that failed so often that nothing is sent there for now.', observed.openCircuits);
  gauge('gatehouse_open_streams', 'Event streams that are open to callers.', observed.openStreams);
  gauge('gatehouse_requests_in_flight', 'Requests whose answer has not begun.', observed.requestsInFlight);
}
