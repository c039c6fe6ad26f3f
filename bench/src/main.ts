import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGateway } from './build-gateway.ts';
import { compareWithNginx } from './compare-with-nginx.ts';
import { chooseCores, pinned, pinThisProcess } from './cores.ts';
import { ensureTools } from './installed-tools.ts';
import { readOptions, usage } from './options.ts';
import { makeReport } from './report/make-report.ts';
import { runInForeground } from './run-in-foreground.ts';

/** `npm run bench`: everything in one run, and a table per question. */
async function bench(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  ensureTools();
  const cores = chooseCores();
  const coreCount = availableParallelism();
  pinThisProcess(cores.rest);
  if (options.ownBuild) await buildGateway();
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${coreCount} cores`);
  console.log(cores.proxy === undefined ? 'Processes are not pinned: one core only, or no taskset. Figures are not comparable.' : `Proxy on core ${cores.proxy}, load and upstream on core ${cores.rest}.`);

  if (options.report !== undefined) {
    // One for each process that must not be left behind, of which a fleet has more than ten.
    process.setMaxListeners(0);
    const { failures } = await makeReport(options.report, options, cores, coreCount);
    console.log(`Written to ${options.report}`);
    if (failures.length > 0) process.exitCode = 1;
    return;
  }

  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  try {
    await compareWithNginx(options, cores, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  // Processes of their own: what was compiled for one measurement must not help or hinder another.
  const part = (script: string): [string, ...string[]] => [process.execPath, join(import.meta.dirname, script)];
  await runInForeground(pinned(cores.proxy, [...part('pipeline-cost.ts'), ...(options.quick ? ['--quick'] : [])]));
  await runInForeground([...part('virtual-lists.ts'), ...(options.quick ? ['--quick'] : [])]);
  if (options.full) await runInForeground([...part('many-servers.ts'), ...(options.ownBuild ? [] : [`--gateway=${options.gateway}`])]);
}

try {
  await bench(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${usage}` : error);
  process.exitCode = 1;
}
