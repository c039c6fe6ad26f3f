import { connections } from '../measure-throughput.ts';
import type { AuthenticationReport } from './measure-authentication.ts';
import type { PropagationResult } from './measure-propagation.ts';
import type { StreamsResult } from './measure-streams.ts';
import { percent, readable } from './numbers.ts';
import { reportPlans } from './report-plan.ts';
import type { Report } from './report.ts';

/** The report as Markdown. @param pictureFile beside it */
export function renderReport(report: Report, pictureFile: string): string {
  const { authentication, servers, streams, propagation } = report;
  return `${[
    '# Gatehouse, measured',
    aboutOf(report),
    ...(report.length === 'full' ? [] : [`**A short run (\`--${report.length}\`), to see that everything works: compare nothing with it.**`]),
    `![The figures of this page as bars and curves](${pictureFile})`,
    ...(authentication === undefined ? [] : authenticationSection(authentication)),
    ...(servers === undefined ? [] : serversSection(servers, reportPlans[report.length].servers.edits)),
    ...(streams === undefined ? [] : streamsSection(streams)),
    ...(propagation === undefined ? [] : propagationSection(propagation)),
    ...(report.failures.length === 0 ? [] : ['## Not measured', report.failures.map(({ part, message }) => `- ${part}: ${message.replaceAll('`', '’')}`).join('\n')]),
  ].join('\n\n')}\n`;
}

const aboutOf = ({ measuredAt, seconds, machine: { cpu, cores, memoryGb, node, pinned } }: Report): string =>
  `${measuredAt.slice(0, 16).replace('T', ' ')} UTC, in ${Math.ceil(seconds / 60)} min, on a machine with ${cores} cores (${cpu}) and ${memoryGb} GB, Node ${node.slice(1)}. ${pinned ? 'A proxy has a core to itself; load, upstream, Redis and everything else share the other.' : 'Nothing could be pinned to a core.'} ` +
  'Made by `npm run bench -- --report <folder>`; the same figures for machines are in `report.json`. How things are measured: [performance.md](../performance.md).';

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(header), `|${header.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`, ...rows.map(row)].join('\n');
}

/** Below this, calls/s say more about the machine than about a proxy. */
const minCpuShare = 0.9;

function authenticationSection({ cases, direct }: AuthenticationReport): string[] {
  const baseline = cases.find(({ proxy }) => proxy === 'nginx');
  const [ordinary] = cases;
  const hindered = cases.some(({ cpuShare }) => cpuShare < minCpuShare);
  const rows = cases.map(({ proxy, kind, agentAuth, appAuth, requestsPerSecond, p50Ms, p99Ms, cpuMicroseconds, cpuShare, alone }) => [
    proxy === 'gateway' ? kind : `**${proxy}**`,
    `${agentAuth} → ${appAuth}`,
    readable(Math.round(requestsPerSecond)),
    baseline === undefined ? '' : (requestsPerSecond / baseline.requestsPerSecond).toFixed(2),
    baseline === undefined ? '' : (baseline.cpuMicroseconds / cpuMicroseconds).toFixed(2),
    readable(p50Ms),
    readable(p99Ms),
    readable(cpuMicroseconds),
    percent(cpuShare),
    alone === undefined ? '' : readable(alone.p50Ms),
    alone === undefined ? '' : readable(alone.p99Ms),
    alone === undefined || direct === undefined ? '' : readable(alone.p50Ms - direct.p50Ms),
  ]);
  return [
    '## By authentication',
    `One gateway serves all rows, in turn, from one upstream, which answers only if the credential is right. Peers do the first row’s task: they compare one string and set one header. Left: ${connections} callers at once, each as fast as it is answered, so that latency is mostly waiting. Right: one caller.`,
    table(['', 'agent → app', 'calls/s', 'to nginx', 'by CPU', 'p50 ms', 'p99 ms', 'CPU µs/call', 'core used', 'alone: p50 ms', 'p99 ms', 'added ms'], rows),
    `Tokens of connections, and exchanged ones, are cached: none was fetched while this was measured. ${direct === undefined ? '' : `Straight to the upstream a caller waits ${readable(direct.p50Ms)} ms. `}${ordinary === undefined ? '' : `Memory of the gateway after all of it: ${readable(Math.round(ordinary.rssMb))} MB. `}Errors: 0, one would have ended the run.`,
    ...(hindered ? ['**Other work took the machine: not every proxy had a core to itself. Compare CPU time, not calls/s.**'] : []),
  ];
}

function serversSection(servers: NonNullable<Report['servers']>, edits: number): string[] {
  const row = (name: string, value: (result: (typeof servers)[number]) => number | undefined): string[] => [name, ...servers.map((result) => {
    const measured = value(result);
    return measured === undefined ? '' : readable(measured >= 100 ? Math.round(measured) : measured);
  })];
  const [fewest] = servers;
  const most = servers.at(-1);
  // Below some thousands, what servers take is lost in what everything else does.
  const added = fewest === undefined || most === undefined || most.serverCount < 10_000 ? undefined : { kb: ((most.rssAfterStartMb - fewest.rssAfterStartMb) * 1_024) / (most.serverCount - fewest.serverCount), startUs: ((most.startFromRedisMs - fewest.startFromRedisMs) * 1_000) / (most.serverCount - fewest.serverCount) };
  return [
    '## By number of servers',
    `One data plane. Calls go to all servers by chance, ${connections} at once; edits come one after the other (${edits}), each timed from its publication until a call is answered by it. The bench publishes in the control plane’s place.`,
    table(['servers', ...servers.map(({ serverCount }) => serverCount.toLocaleString('en'))], [
      row('all of them published, ms', ({ publishMs }) => publishMs),
      row('start to ready, from Redis, ms', ({ startFromRedisMs }) => startFromRedisMs),
      row('start to ready, from disk, Redis away, ms', ({ startFromDiskMs }) => startFromDiskMs),
      row('memory after the start, MB', ({ rssAfterStartMb }) => rssAfterStartMb),
      row('memory after calls and edits, MB', ({ rssAfterEditsMb }) => rssAfterEditsMb),
      row('calls/s', ({ calls }) => calls?.requestsPerSecond),
      row('p50 ms', ({ calls }) => calls?.p50Ms),
      row('p99 ms', ({ calls }) => calls?.p99Ms),
      row('CPU µs/call', ({ calls }) => calls?.cpuMicroseconds),
      row('an edit to served, p50 ms', ({ edits: { p50Ms } }) => p50Ms),
      row('p99 ms', ({ edits: { p99Ms } }) => p99Ms),
      row('the longest, ms', ({ edits: { maxMs } }) => maxMs),
    ]),
    ...(added === undefined ? [] : [`From the fewest to the most, each server takes ${readable(added.kb)} KB and ${readable(added.startUs)} µs of the start from Redis: every document is opened, checked and compiled before any is served. Where servers are more than the calls before, many calls are a server’s first, which costs more than the next.`]),
  ];
}

function streamsSection(streams: StreamsResult): string[] {
  const { count, wanted, descriptorLimit } = streams;
  const fewer = count < wanted ? ` ${readable(wanted)} were wanted; a process on this machine may have ${readable(descriptorLimit ?? 0)} files open, and each stream takes two.` : '';
  const kb = (from: number, to: number): string => readable(Math.max(0, ((to - from) * 1_024) / count));
  return [
    '## Idle streams',
    `${readable(count)} callers that wait for events (GET) at one data plane, each with a stream of its own to the upstream; nothing comes but a comment each ${readable(streams.commentMs / 1_000)} s.${fewer}`,
    table(['', 'before', 'open', 'closed'], [
      ['memory, MB', ...[streams.rssBeforeMb, streams.rssOpenMb, streams.rssClosedMb].map((value) => readable(value))],
      ['open files', ...[streams.descriptorsBefore, streams.descriptorsOpen, streams.descriptorsClosed].map((value) => readable(value))],
      ['a call, one caller, p50 ms', readable(streams.callsBefore.p50Ms), readable(streams.callsBeside.p50Ms), ''],
      ['p99 ms', readable(streams.callsBefore.p99Ms), readable(streams.callsBeside.p99Ms), ''],
    ]),
    `Each takes ${kb(streams.rssBeforeMb, streams.rssOpenMb)} KB and ${readable((streams.descriptorsOpen - streams.descriptorsBefore) / count)} open files. They opened at ${readable(Math.round(count / (streams.openedInMs / 1_000)))} a second. In ${readable(streams.idleSeconds)} s, ${readable(streams.commented)} of them had a comment, none was lost, and the data plane used ${readable(streams.idleCpuShare * 100)} % of a core.`,
  ];
}

function propagationSection(results: readonly PropagationResult[]): string[] {
  const cells = ({ p50Ms, p99Ms }: { p50Ms: number; p99Ms: number }): string[] => [readable(p50Ms), readable(p99Ms)];
  return [
    '## From an edit to every data plane',
    'A PATCH at the REST API of a control plane with Postgres and Redis: from before it is sent until a call at each data plane is answered by it. All data planes share one core, and are asked every 2 ms from when the control plane has answered.',
    table(['data planes', 'edits', 'stored p50 ms', 'p99', 'served by the first, p50 ms', 'p99', 'served everywhere, p50 ms', 'p99'], results.map(({ dataPlanes, edits, stored, servedFirst, servedEverywhere }) => [String(dataPlanes), String(edits), ...cells(stored), ...cells(servedFirst), ...cells(servedEverywhere)])),
  ];
}
