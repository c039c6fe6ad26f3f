import { performance } from 'node:perf_hooks';
import { type AddressGuard, CircuitBreakers, createAddressGuard } from '@gatehouse/egress';
import type { Logger } from '@gatehouse/service-runtime';
import type { DataPlaneSettings } from './data-plane.ts';
import { UpstreamTransport } from './transport/upstream-transport.ts';

export interface OpenTransports {
  /** What callers wait for. */
  readonly calls: UpstreamTransport;
  /** What stays open: it must not take the connections that calls wait for. */
  readonly streams: UpstreamTransport;
  /** To other data planes. */
  readonly peers: UpstreamTransport;
  readonly circuits: CircuitBreakers;
  close(): Promise<void>;
}

type TransportSettings = Pick<DataPlaneSettings, 'CONNECT_TIMEOUT_MS' | 'CONNECTIONS_PER_ORIGIN' | 'STREAMS_PER_ORIGIN' | 'CIRCUIT_BREAKER_FAILURES' | 'CIRCUIT_BREAKER_OPEN_MS'>;

/** All connections on which calls leave; what one of calls and streams learns of an upstream that fails, the other knows. */
export function openTransports(settings: TransportSettings, guard: AddressGuard, logger: Logger): OpenTransports {
  const { CONNECT_TIMEOUT_MS: connectTimeoutMs, STREAMS_PER_ORIGIN: streamsPerOrigin } = settings;
  const circuits = new CircuitBreakers({
    failures: settings.CIRCUIT_BREAKER_FAILURES,
    openMs: settings.CIRCUIT_BREAKER_OPEN_MS,
    now: () => performance.now(),
    onChange: (subject, state) => logger[state === 'open' ? 'warn' : 'info']({ ...subject, state }, 'circuit of an upstream'),
  });
  const calls = new UpstreamTransport({ guard, connectTimeoutMs, connectionsPerOrigin: settings.CONNECTIONS_PER_ORIGIN, circuits });
  const streams = new UpstreamTransport({ guard, connectTimeoutMs, connectionsPerOrigin: streamsPerOrigin, circuits });
  // Our own fleet: the addresses it has are not public ones.
  const peers = new UpstreamTransport({ guard: createAddressGuard({ allowedRanges: ['all'] }), connectTimeoutMs, connectionsPerOrigin: streamsPerOrigin });
  return {
    calls,
    streams,
    peers,
    circuits,
    close: async () => {
      await Promise.all([calls, streams, peers].map((transport) => transport.close()));
    },
  };
}
