import { credentialKinds } from '@gatehouse/app-auth';
import { lineWriter, type Logger } from '@gatehouse/service-runtime';
import { dropReasons, type Verdict, verdictOutcome } from '@gatehouse/header-policy';
import { Counter, Histogram, type Registry } from 'prom-client';
import { bounded, CallLine } from './call-line.ts';
import type { CallRecord } from './pipeline/call-record.ts';
import { stageOf } from './pipeline/stage-of.ts';
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
  /** How its credentials were come by, until the next scrape. */
  readonly credentials: Map<string, number>;
}

/** What takes the events of calls, each as the text of a JSON object. */
export interface CallEventSink {
  add(fields: string, at: Date, time: string): void;
}

/**
 * One log line, the metrics and the event of every call. Labels are names from the configuration, never from the request; those of servers
 * that are no longer configured go with the next scrape, since names that come and go have no bound either.
 */
export function observeCalls(
  logger: Logger, registry: Registry, now: () => number, isConfigured: (workspace: string, server: string) => boolean = () => true, events?: CallEventSink,
): (record: CallRecord) => void {
  // Label look-ups cost more than counting: the children of a server's ordinary outcome are kept.
  let bound = new WeakMap<PreparedServer, Series>();
  const known = new Map<string, Series>();
  const forget = (): void => {
    for (const [key, { workspace, server, outcomes }] of known) {
      if (isConfigured(workspace, server)) continue;
      for (const outcome of outcomes) count.remove({ workspace, server, outcome });
      for (const outcome of verdictOutcomes) verdicts.remove({ workspace, server, outcome });
      for (const how of credentialKinds) credentials.remove({ workspace, server, how });
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
  const credentials = new Counter({
    name: 'gatehouse_credentials_total',
    help: 'Credentials that calls were sent with, by how they were come by; none where there was none.',
    labelNames: ['workspace', 'server', 'how'] as const,
    registers: [registry],
    collect: () => {
      forget();
      for (const { workspace, server, credentials: counts } of known.values()) {
        for (const [how, number] of counts) credentials.inc({ workspace, server, how }, number);
        counts.clear();
      }
    },
  });
  const failures = new Counter({
    name: 'gatehouse_stage_failures_total',
    help: 'Requests that were not ok, by the stage that they had got to.',
    labelNames: ['stage'] as const,
    registers: [registry],
  });
  const seriesOf = (prepared: PreparedServer): Series => {
    let series = bound.get(prepared);
    if (series === undefined) {
      const { workspace, name: server } = prepared;
      const key = serverKey(workspace, server);
      series = known.get(key) ?? {
        workspace, server, outcomes: new Set(['ok']), count: count.labels({ workspace, server, outcome: 'ok' }), duration: duration.labels({ workspace, server }), verdicts: new Map(), credentials: new Map(),
      };
      known.set(key, series);
      bound.set(prepared, series);
    }
    return series;
  };

  const writeLine = lineWriter(logger, 'call');

  return (record) => {
    const { server, error } = record;
    const elapsedMs = now() - record.startedAt;
    const outcomes = record.verdicts === undefined ? undefined : countOutcomes(record.verdicts);
    if (error === undefined) record.stages?.passed('answer');
    else failures.inc({ stage: stageOf(record) });
    if (server !== undefined) {
      const series = seriesOf(server);
      series.duration.observe(elapsedMs / 1000);
      for (const outcome in outcomes) add(series.verdicts, outcome, outcomes[outcome] ?? 0);
      if (record.credentials !== undefined) for (const how of record.credentials) add(series.credentials, how, 1);
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
    const isLogged = logger.isLevelEnabled(level);
    // What matched no server is nobody's call: strangers must not fill a table.
    const sink = server === undefined ? undefined : events;
    if (isLogged || sink !== undefined) {
      const line = new CallLine(record, elapsedMs, outcomes);
      // Made into text once for both, as that costs more than all the rest here.
      const fields = JSON.stringify(line);
      const at = new Date();
      const time = at.toISOString();
      sink?.add(fields, at, time);
      if (isLogged && error === undefined) writeLine(level, time, fields);
      else if (isLogged) logger[level]({ ...line, err: error }, 'call');
    }
    if (record.verdicts !== undefined && logger.isLevelEnabled('debug')) logger.debug(describeDropped(record, record.verdicts), 'headers');
  };
}

const add = (counts: Map<string, number>, key: string, number: number): void => void counts.set(key, (counts.get(key) ?? 0) + number);

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
