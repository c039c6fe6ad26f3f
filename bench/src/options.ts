import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ReportPart, reportParts } from './report/report.ts';
import type { ReportLength } from './report/report-plan.ts';

export interface BenchOptions {
  /** Short rounds: a first impression in less than 40 seconds. */
  readonly quick: boolean;
  /** Also measures 10,000 servers. */
  readonly full: boolean;
  /** What is started as the gateway; another build can be measured with the same bench. */
  readonly gateway: string;
  /** Whether `gateway` is this checkout's own, and is built before it is measured. */
  readonly ownBuild: boolean;
  /** Where the report is written; absent, tables are printed in its place. */
  readonly report: string | undefined;
  readonly length: ReportLength;
  /** Absent: all of them. */
  readonly parts: readonly ReportPart[] | undefined;
}

export const usage = `npm run bench -- [--quick | --full] [--gateway=<file>]
npm run bench -- --report <folder> [--quick | --smallest] [--parts <names>] [--gateway=<file>]
  --quick     short rounds, less than 40 seconds in all; of a report a minute and a half
  --full      also 10,000 servers: start, memory, edits
  --report    measures what a report has (8 minutes) and writes report.md, report.svg and report.json there
  --smallest  a report of a few seconds, which shows that everything works and nothing else
  --parts     of a report only these, comma-separated: ${reportParts.join(', ')}
  --gateway   measure this script instead of the gateway of the checkout, which is built first`;

const ownGateway = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));

/** @throws TypeError for an unknown option, or an unknown part of a report */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false }, full: { type: 'boolean', default: false }, gateway: { type: 'string' },
      report: { type: 'string' }, smallest: { type: 'boolean', default: false }, parts: { type: 'string' },
    },
  });
  const { quick, full, smallest, report, gateway = ownGateway } = values;
  const length = smallest ? 'smallest' : quick ? 'quick' : 'full';
  return { quick, full, gateway, ownBuild: values.gateway === undefined, report, length, parts: values.parts === undefined ? undefined : values.parts.split(',').map(partOf) };
}

function partOf(name: string): ReportPart {
  const part = reportParts.find((known) => known === name);
  if (part === undefined) throw new TypeError(`a report has no part “${name}”`);
  return part;
}
