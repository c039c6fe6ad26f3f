import type { CallLimiter, Limit } from '@gatehouse/call-limits';
import type { PreparedServer } from '@gatehouse/upstream-request';
import type { Logger } from '@gatehouse/service-runtime';
import { Counter, Gauge, type Registry } from 'prom-client';

interface Limited {
  readonly workspace: string;
  readonly server: string;
  readonly limit: string;
}

/** Counts what limits refuse. Labels are names from the configuration; those of servers that are no longer in it go with the next scrape. */
export function observeLimited(registry: Registry, isConfigured: (workspace: string, server: string) => boolean): (server: PreparedServer, limit: Limit) => void {
  const known = new Map<string, Limited>();
  const counter = new Counter({
    name: 'gatehouse_limited_total',
    help: 'Calls that a limit has refused, by whose limit it is: of rates caller, server, tool, caller-tool; of calls under way concurrent-server, concurrent-caller.',
    labelNames: ['workspace', 'server', 'limit'] as const,
    registers: [registry],
    collect: () => {
      for (const [key, labels] of known) {
        if (isConfigured(labels.workspace, labels.server)) continue;
        counter.remove(labels.workspace, labels.server, labels.limit);
        known.delete(key);
      }
    },
  });
  return ({ workspace, name: server }, limit) => {
    const labels = { workspace, server, limit: 'calls' in limit ? limit.per : `concurrent-${limit.per}` };
    known.set(JSON.stringify(labels), labels);
    counter.inc(labels);
  };
}

/** Of limits that all data planes share: what to do when they are away, and back. */
export function observeSharedLimits(registry: Registry, logger: Logger): { readonly onSharedChange: (isAway: boolean, error?: unknown) => void; readonly onSharedAlone: () => void } {
  const alone = new Counter({
    name: 'gatehouse_shared_limits_alone_total',
    help: 'Times that a call was counted for a shared limit by this data plane alone, as Redis did not answer in time.',
    registers: [registry],
  });
  return {
    onSharedAlone: () => alone.inc(),
    onSharedChange: (isAway, error) => {
      if (isAway) logger.warn({ err: error }, 'shared limits: Redis does not answer, each data plane counts by itself');
      else logger.info('shared limits: Redis answers again');
    },
  };
}

/** A number that only grows would be places that nobody leaves. */
export function observePlaces(registry: Registry, limiter: Pick<CallLimiter, 'places'>): void {
  new Gauge({
    name: 'gatehouse_limited_calls',
    help: 'Calls under way that limits of concurrent calls count.',
    registers: [registry],
    collect() {
      this.set(limiter.places);
    },
  });
}
