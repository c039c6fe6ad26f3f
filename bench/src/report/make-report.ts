import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeConnections } from '../call-gateway.ts';
import type { Cores } from '../cores.ts';
import { measureServers, type ServersResult } from '../measure-servers.ts';
import type { BenchOptions } from '../options.ts';
import { drawReport } from './draw-report.ts';
import { describeMachine } from './machine.ts';
import { measureAuthentication } from './measure-authentication.ts';
import { measurePropagation } from './measure-propagation.ts';
import { measureStreams } from './measure-streams.ts';
import { renderReport } from './render-report.ts';
import { type Report, type ReportPart, reportParts } from './report.ts';
import { reportPlans } from './report-plan.ts';

export const reportFiles = { data: 'report.json', text: 'report.md', picture: 'report.svg' } as const;

/**
 * Measures part after part and writes the report, anew after each: what comes late in a long run must not take what was there
 * before with it. @returns the report; a part that failed is named in it
 */
export async function makeReport(directory: string, { gateway, length, parts = reportParts }: BenchOptions, cores: Cores, coreCount = availableParallelism()): Promise<Report> {
  const startedAt = performance.now();
  const plan = reportPlans[length];
  const measures: { readonly [part in ReportPart]: (folder: string) => Promise<Required<Report>[part]> } = {
    authentication: (folder) => measureAuthentication(plan.authentication, gateway, cores, folder),
    servers: async (folder) => {
      const results: ServersResult[] = [];
      for (const count of plan.servers.counts) {
        console.log(`  ${count.toLocaleString('en')} servers`);
        const home = join(folder, String(count));
        await mkdir(home);
        results.push(await measureServers(count, plan.servers.edits, { gateway }, cores, home, plan.servers.load));
      }
      closeConnections();
      return results;
    },
    streams: (folder) => measureStreams(plan.streams, gateway, cores, folder),
    propagation: (folder) => measurePropagation(plan.propagation, gateway, cores, folder),
  };

  await mkdir(directory, { recursive: true });
  let report: Report = { version: 1, measuredAt: new Date().toISOString(), seconds: 0, length, machine: describeMachine(cores, coreCount), failures: [] };
  for (const part of reportParts.filter((one) => parts.includes(one))) {
    console.log(`${part} …`);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
    try {
      report = { ...report, [part]: await measures[part](folder) };
    } catch (error) {
      console.error(error);
      report = { ...report, failures: [...report.failures, { part, message: messageOf(error) }] };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    report = { ...report, seconds: Math.round((performance.now() - startedAt) / 1000) };
    await writeReport(directory, report);
  }
  return report;
}

async function writeReport(directory: string, report: Report): Promise<void> {
  await writeFile(join(directory, reportFiles.data), `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(join(directory, reportFiles.text), renderReport(report, reportFiles.picture));
  await writeFile(join(directory, reportFiles.picture), drawReport(report));
}

/** The first line: what follows may be the log of a process, which has no place in a report. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 200) ?? '';
