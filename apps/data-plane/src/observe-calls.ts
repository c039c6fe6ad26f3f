import type { GatewayError } from '@gatehouse/errors';
import { lineWriter, type Logger } from '@gatehouse/service-runtime';
import { dropReasons, type Verdict, verdictOutcome } from '@gatehouse/header-policy';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { CallRecord } from './pipeline/call-record.ts';
import { serverKey } from './snapshot/current-snapshot.ts';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** What was counted of one server. */
interface Series {
  readonly workspace: string;
  readonly server: string;
  readonly outcomes: Set<string>;
  readonly count: Counter.Internal;
  readonly duration: Histogram.Internal<string>;
  /** What became of callers' headers, until the next scrape. */
  readonly verdicts: Map<string, number>;
}

/**
 * One log line and the metrics of every call. Labels are names from the configuration, never from the request; those of servers
 * that are no longer configured go with the next scrape, since names that come and go have no bound either.
 */
export function observeCalls(
  logger: Logger, registry: Registry, now: () => number, isConfigured: (workspace: string, server: string) => boolean = () => true,
): (record: CallRecord) => void {
  // Label look-ups cost more than counting: the children of a server's ordinary outcome are kept.
  let bound = new WeakMap<PreparedServer, Series>();
  const known = new Map<string, Series>();
  const forget = (): void => {
    for (const [key, { workspace, server, outcomes }] of known) {
      if (isConfigured(workspace, server)) continue;
      for (const outcome of outcomes) count.remove({ workspace, server, outcome });
      for (const outcome of verdictOutcomes) verdicts.remove({ workspace, server, outcome });
      duration.remove({ workspace, server });
      known.delete(key);
      // A call that is still under way would count in a child that nobody remembers.
      bound = new WeakMap();
    }
  };
  const count = new Counter({
    name: 'gatehouse_requests_total',
    help: 'Requests by server and outcome.',
    labelNames: ['workspace', 'server', 'outcome'] as const,
    registers: [registry],
    collect: forget,
  });
  const duration = new Histogram({
    name: 'gatehouse_request_duration_seconds',
    help: 'From the request to the head of its answer.',
    labelNames: ['workspace', 'server'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
    collect: forget,
  });
  const verdicts = new Counter({
    name: 'gatehouse_header_verdicts_total',
    help: 'Headers of callers by what became of them: kept, renamed, replaced, or why they were dropped.',
    labelNames: ['workspace', 'server', 'outcome'] as const,
    registers: [registry],
    collect: () => {
      forget();
      for (const { workspace, server, verdicts: counts } of known.values()) {
        for (const [outcome, number] of counts) verdicts.inc({ workspace, server, outcome }, number);
        counts.clear();
      }
    },
  });
  const seriesOf = (prepared: PreparedServer): Series => {
    let series = bound.get(prepared);
    if (series === undefined) {
      const { workspace, name: server } = prepared;
      const key = serverKey(workspace, server);
      series = known.get(key) ?? {
        workspace, server, outcomes: new Set(['ok']), count: count.labels({ workspace, server, outcome: 'ok' }), duration: duration.labels({ workspace, server }), verdicts: new Map(),
      };
      known.set(key, series);
      bound.set(prepared, series);
    }
    return series;
  };

  const writeLine = lineWriter(logger);

  return (record) => {
    const { server, error } = record;
    const elapsedMs = now() - record.startedAt;
    const outcomes = record.verdicts === undefined ? undefined : countOutcomes(record.verdicts);
    if (server !== undefined) {
      const series = seriesOf(server);
      series.duration.observe(elapsedMs / 1000);
      for (const outcome in outcomes) series.verdicts.set(outcome, (series.verdicts.get(outcome) ?? 0) + (outcomes[outcome] ?? 0));
      if (error === undefined) series.count.inc();
      else {
        series.outcomes.add(error.code);
        count.inc({ workspace: server.workspace, server: server.name, outcome: error.code });
      }
    } else {
      // What matched no server is counted together: a label of the caller's choosing would have no bound.
      count.inc({ workspace: '', server: '', outcome: error?.code ?? 'ok' });
    }
    const level = error?.level ?? 'info';
    if (logger.isLevelEnabled(level)) {
      const line = new CallLine(record, elapsedMs, outcomes);
      if (error === undefined) writeLine(level, line);
      else logger[level](line);
    }
    if (record.verdicts !== undefined && logger.isLevelEnabled('debug')) logger.debug(describeDropped(record, record.verdicts), 'headers');
  };
}

/** The one line of a call. A class, so that all of them have one shape: what is undefined is not written. */
class CallLine {
  readonly workspace: string | undefined;
  readonly server: string | undefined;
  readonly caller: string | undefined;
  readonly http: string | undefined;
  readonly era: string | undefined;
  readonly method: string | undefined;
  readonly tool: string | undefined;
  readonly outcome: string;
  /** How many were kept, dropped for which reason, …: never which, never what was in them. */
  readonly headers: Readonly<Record<string, number>> | undefined;
  readonly err: GatewayError | undefined;
  readonly upstreamStatus: number | undefined;
  readonly upstreamMs: number | undefined;
  readonly durationMs: number;
  readonly msg = 'call';

  constructor({ server, caller, call, error, upstreamStatus, upstreamMs }: CallRecord, elapsedMs: number, outcomes: Readonly<Record<string, number>> | undefined) {
    const { method, name } = call?.message ?? {};
    this.workspace = server?.workspace;
    this.server = server?.name;
    this.caller = caller?.id;
    this.http = call?.method;
    this.era = call?.era;
    this.method = method === undefined ? undefined : bounded(method);
    this.tool = method === 'tools/call' && name !== undefined ? bounded(name) : undefined;
    this.outcome = error?.code ?? 'ok';
    this.headers = outcomes;
    this.err = error;
    this.upstreamStatus = upstreamStatus;
    this.upstreamMs = upstreamMs === undefined ? undefined : round(upstreamMs);
    this.durationMs = round(elapsedMs);
  }
}

const verdictOutcomes = [...dropReasons, 'kept', 'renamed', 'replaced'] as const;

function countOutcomes(verdicts: readonly Verdict[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const verdict of verdicts) {
    const outcome = verdictOutcome(verdict);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** Which headers did not leave, by name and reason (P19). */
function describeDropped({ server }: CallRecord, verdicts: readonly Verdict[]): object {
  const dropped = verdicts.filter(({ action }) => action === 'dropped').map(({ name, reason, rule }) => ({ name: bounded(name), reason, rule }));
  return { workspace: server?.workspace, server: server?.name, dropped };
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
/** Names in messages are the caller's text: short, and nothing that could be mistaken for another line. */
const bounded = (name: string): string => name.slice(0, 128);
