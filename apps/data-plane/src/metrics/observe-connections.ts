import type { ConnectionCounts } from '@gatehouse/egress';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What connections are for. */
export type Pools = Readonly<Record<string, { readonly connections: Readonly<ConnectionCounts> }>>;
/** Those whose requests wait for their turn where an origin has as many as it may. */
export type Queues = Readonly<Record<string, { readonly load: { readonly running: number; readonly waiting: number } }>>;

/** Connections that go out. By what they are for and not by origin: of those there are as many as there are upstreams. */
export function observeConnections(registry: Registry, pools: Pools, queues: Queues): void {
  const registers = [registry];
  new Gauge({
    name: 'gatehouse_outgoing_connections',
    help: 'Open connections, in use and unused, by what they are for.',
    labelNames: ['pool'],
    registers,
    collect() {
      for (const pool in pools) this.set({ pool }, pools[pool]?.connections.open ?? 0);
    },
  });
  const total = (name: string, help: string, value: (counts: Readonly<ConnectionCounts>) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ['pool'],
      registers,
      collect() {
        this.reset();
        for (const [pool, { connections }] of Object.entries(pools)) this.inc({ pool }, value(connections));
      },
    });
  };
  total('gatehouse_outgoing_connections_opened_total', 'Connections that were opened, by what they are for.', ({ opened }) => opened);
  total('gatehouse_outgoing_connections_failed_total', 'Attempts to connect that failed, by what they were for.', ({ failed }) => failed);
  new Gauge({
    name: 'gatehouse_upstream_requests',
    help: 'Requests to upstreams that are running, or waiting for a connection of their origin to be free.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { load }] of Object.entries(queues)) {
        this.set({ pool, state: 'running' }, load.running);
        this.set({ pool, state: 'waiting' }, load.waiting);
      }
    },
  });
}
