import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGateway } from './build-gateway.ts';
import { closeConnections } from './call-gateway.ts';
import { chooseCores, pinThisProcess } from './cores.ts';
import { ensureTools } from './installed-tools.ts';
import { measureServers, type ServersResult } from './measure-servers.ts';
import { readOptions } from './options.ts';
import { format, printTable, printTarget } from './print-table.ts';

const edits = 200;
const targets = { startMs: 2_000, rssMb: 200, editP99Ms: 250 };

const options = readOptions(process.argv.slice(2));
ensureTools();
const cores = chooseCores();
pinThisProcess(cores.rest);
if (options.ownBuild) await buildGateway();

const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
try {
  const results: ServersResult[] = [];
  for (const count of [100, 10_000]) {
    const home = join(folder, String(count));
    await mkdir(home);
    results.push(await measureServers(count, edits, options, cores, home));
  }
  print(results);
} finally {
  closeConnections();
  await rm(folder, { recursive: true, force: true });
}

function print(results: readonly ServersResult[]): void {
  const row = (name: string, value: (result: ServersResult) => number): string[] => [name, ...results.map((result) => format(value(result)))];
  printTable(
    `Many servers: one data plane, ${edits} edits one after the other`,
    ['servers', ...results.map(({ serverCount }) => serverCount.toLocaleString('en'))],
    [
      row('all published, ms', ({ publishMs }) => publishMs),
      row('start to ready from Redis, ms', ({ startFromRedisMs }) => startFromRedisMs),
      row('start to ready from disk, Redis away, ms', ({ startFromDiskMs }) => startFromDiskMs),
      row('RSS after start, MB', ({ rssAfterStartMb }) => rssAfterStartMb),
      row('RSS after the edits, MB', ({ rssAfterEditsMb }) => rssAfterEditsMb),
      row('edit to served p50, ms', ({ edits: { p50Ms } }) => p50Ms),
      row('edit to served p99, ms', ({ edits: { p99Ms } }) => p99Ms),
      row('edit to served, longest, ms', ({ edits: { maxMs } }) => maxMs),
    ],
  );
  const most = results.at(-1);
  if (most === undefined) return;
  console.log();
  printTarget('start from Redis', most.startFromRedisMs, targets.startMs, 'ms');
  printTarget('start from disk', most.startFromDiskMs, targets.startMs, 'ms');
  printTarget('memory', Math.max(most.rssAfterStartMb, most.rssAfterEditsMb), targets.rssMb, 'MB');
  printTarget('edit to served, p99', most.edits.p99Ms, targets.editP99Ms, 'ms');
}
