import { barChartHeight, drawBars, drawRanges } from './bar-chart.ts';
import { drawCurves } from './curve-chart.ts';
import type { AuthenticationReport, AuthenticationResult } from './measure-authentication.ts';
import type { PropagationResult } from './measure-propagation.ts';
import type { StreamsResult } from './measure-streams.ts';
import { readable } from './numbers.ts';
import { nameOfResult } from './result-names.ts';
import type { Report } from './report.ts';
import { group, label, picture, type SeriesClass } from './svg.ts';

const width = 1_080;
const padding = 28;
const inner = width - 2 * padding;
const curveHeight = 190;

interface Section {
  readonly height: number;
  readonly drawn: string;
}

/** The report as one picture: bars, ranges and curves, legible in light and dark. */
export function drawReport(report: Report): string {
  const { authentication, servers, streams, propagation, machine } = report;
  const sections: Section[] = [];
  if (authentication !== undefined && authentication.cases.length > 0) sections.push(drawAuthentication(authentication));
  if (servers !== undefined && servers.length > 0) sections.push(drawServers(servers));
  if (streams !== undefined || propagation !== undefined) sections.push(drawLastRow(streams, propagation));

  let y = 76;
  const placed = sections.map(({ height, drawn }) => {
    const at = y;
    y += height + 28;
    return group(padding, at, drawn);
  });
  const about = `${report.measuredAt.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores · Node ${machine.node.slice(1)} · one core for each proxy${report.length === 'full' ? '' : ' · a short run: compare nothing with it'}`;
  const title = 'Gatehouse, measured';
  return picture(width, y, title, `${about}. The same figures are in the tables of the report.`, label(padding, 36, title, 'title'), label(padding, 56, about, 'muted'), ...placed);
}

const seriesOf = ({ proxy, kind }: AuthenticationResult): SeriesClass => (proxy !== 'gateway' ? 's2' : kind.startsWith('MCP') ? 's0' : kind.startsWith('API') ? 's1' : 's3');

function drawAuthentication({ cases }: AuthenticationReport): Section {
  const ordered = [...cases].sort((left, right) => Number(left.proxy === 'gateway') - Number(right.proxy === 'gateway'));
  // CPU time, and not calls/s: beside a proxy that does little, all ways of authentication would look the same.
  const bars = ordered.map((result) => ({ name: nameOfResult(result), value: result.cpuMicroseconds, note: `${readable(result.cpuMicroseconds)} µs · ${readable(Math.round(result.requestsPerSecond))}/s`, series: seriesOf(result) }));
  const latencyWidth = 250;
  const ranges = ordered.map((result) => (result.alone === undefined ? undefined : { from: result.alone.p50Ms, to: result.alone.p99Ms, series: seriesOf(result) }));
  const chart = drawBars({ title: 'CPU time of a call, µs (less is better) · calls per second on one core', bars, width: inner - latencyWidth - 30, nameWidth: 290, noteWidth: 110 });
  const beside = ranges.some((range) => range !== undefined) ? group(inner - latencyWidth, 0, drawRanges('One caller: p50 to p99, ms', ranges, latencyWidth - 10)) : '';
  return { height: barChartHeight(bars.length), drawn: chart + beside };
}

function drawServers(servers: NonNullable<Report['servers']>): Section {
  const chartWidth = (inner - 3 * 24) / 4;
  const curve = (name: string, value: (result: (typeof servers)[number]) => number | undefined) => ({ name, points: servers.flatMap((result) => {
    const y = value(result);
    return y === undefined ? [] : [[result.serverCount, y] as const];
  }) });
  const charts = [
    { title: 'Start to ready, by servers', unit: 's', curves: [curve('Redis', ({ startFromRedisMs }) => startFromRedisMs / 1_000), curve('disk', ({ startFromDiskMs }) => startFromDiskMs / 1_000)] },
    { title: 'Memory, by servers', unit: 'MB', curves: [curve('at start', ({ rssAfterStartMb }) => rssAfterStartMb), curve('in use', ({ rssAfterEditsMb }) => rssAfterEditsMb)] },
    { title: 'Calls of all, by servers', unit: '/s', curves: [curve('calls', ({ calls }) => calls?.requestsPerSecond)] },
    { title: 'Edit to served, by servers', unit: 'ms', logarithmicY: true, curves: [curve('p50', ({ edits }) => edits.p50Ms), curve('p99', ({ edits }) => edits.p99Ms)] },
  ].filter(({ curves }) => curves.every(({ points }) => points.length > 0));
  const drawn = charts.map((chart, index) => group(index * (chartWidth + 24), 0, drawCurves({ ...chart, width: chartWidth, height: curveHeight, logarithmicX: true })));
  return { height: curveHeight, drawn: drawn.join('') };
}

function drawLastRow(streams: StreamsResult | undefined, propagation: readonly PropagationResult[] | undefined): Section {
  const half = (inner - 40) / 2;
  const drawn: string[] = [];
  if (propagation !== undefined && propagation.length > 0) {
    const curve = (name: string, value: (result: PropagationResult) => number) => ({ name, points: propagation.map((result) => [result.dataPlanes, value(result)] as const) });
    const curves = [curve('stored p50', ({ stored }) => stored.p50Ms), curve('first p50', ({ servedFirst }) => servedFirst.p50Ms), curve('everywhere p50', ({ servedEverywhere }) => servedEverywhere.p50Ms), curve('everywhere p99', ({ servedEverywhere }) => servedEverywhere.p99Ms)];
    drawn.push(drawCurves({ title: 'An edit over REST, by data planes', unit: 'ms', curves, width: half, height: curveHeight }));
  }
  if (streams !== undefined) {
    const bars = ([['before', streams.rssBeforeMb, streams.descriptorsBefore], ['open', streams.rssOpenMb, streams.descriptorsOpen], ['closed', streams.rssClosedMb, streams.descriptorsClosed]] as const)
      .map(([name, value, descriptors]) => ({ name, value, note: `${readable(Math.round(value))} MB, ${readable(descriptors)} open files`, series: 's0' as const }));
    const each = ((streams.rssOpenMb - streams.rssBeforeMb) * 1_024) / streams.count;
    const notes = [`${readable(Math.max(0, each))} KB for each · ${readable(streams.idleCpuShare * 100)} % of a core, idle`, `a call beside them: p50 ${readable(streams.callsBeside.p50Ms)} ms, before ${readable(streams.callsBefore.p50Ms)} ms`];
    const chart = drawBars({ title: `${streams.count.toLocaleString('en')} idle streams: memory of the data plane, MB`, bars, width: half, nameWidth: 60, noteWidth: 150 });
    const below = notes.map((note, index) => label(0, barChartHeight(bars.length) + 18 + index * 18, note, 'muted'));
    drawn.push(group(half + 40, 0, chart, ...below));
  }
  return { height: curveHeight, drawn: drawn.join('') };
}
