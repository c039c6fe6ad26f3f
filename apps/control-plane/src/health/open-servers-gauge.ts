import { Gauge, type Registry } from 'prom-client';
import type { Sql } from '../database/sql.ts';
import { countOpenServers } from '../servers/count-open-servers.ts';
import { inTime } from './in-time.ts';

/**
 * How many servers let anybody in (D11, docs/rules.md), asked at each scrape: every replica says the same, also of what another
 * one has changed. While the database is away it is not known, and absent.
 */
export function registerOpenServersGauge(registry: Registry, sql: Sql): void {
  const gauge = new Gauge({
    name: 'gatehouse_open_servers',
    help: 'Servers that are enabled and let anybody in, by whether the gateway holds a credential for them.',
    labelNames: ['credential'],
    registers: [registry],
    collect: async () => {
      const counts = await inTime(countOpenServers(sql));
      gauge.reset();
      if (counts === undefined) return;
      gauge.set({ credential: 'stored' }, counts.withCredential);
      gauge.set({ credential: 'none' }, counts.withoutCredential);
    },
  });
}
