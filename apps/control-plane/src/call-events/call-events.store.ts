import type { Sql } from '../database/sql.ts';
import type { CallEvent } from './call-event.ts';

/**
 * Those that are there already stay as they are: a batch may come twice.
 * @returns how many were not there
 */
export async function insertCallEvents(sql: Sql, events: readonly CallEvent[]): Promise<number> {
  const rows = await sql(
    `insert into call_events (id, at, data_plane, workspace, server, server_id, member, caller, caller_kind, endpoint, http, era, method, tool, outcome,
       credentials, headers, upstream_status, upstream_ms, duration_ms)
     select id, at, "dataPlane", workspace, server, "serverId", member, caller, "callerKind", endpoint, http, era, method, tool, outcome,
       credentials, headers, "upstreamStatus", "upstreamMs", "durationMs"
     from jsonb_to_recordset($1::jsonb) as e(id uuid, at timestamptz, "dataPlane" text, workspace text, server text, "serverId" text, member text, caller text,
       "callerKind" text, endpoint text, http text, era text, method text, tool text, outcome text, credentials text[], headers jsonb,
       "upstreamStatus" integer, "upstreamMs" real, "durationMs" real)
     on conflict do nothing returning 1 as stored`,
    [JSON.stringify(events)],
  );
  return rows.length;
}

/** What may be looked for; every member narrows. */
export interface CallEventFilter {
  readonly workspace: string | undefined;
  readonly server: string | undefined;
  readonly caller: string | undefined;
  readonly tool: string | undefined;
  readonly outcome: string | undefined;
  /** Inclusive. */
  readonly from: Date | undefined;
  /** Exclusive. */
  readonly to: Date | undefined;
}

export interface CallEventPosition {
  readonly at: Date;
  readonly id: string;
}

/** What is not known is null. */
interface Row {
  readonly at: Date;
  readonly [member: string]: unknown;
}

const select = `select id, at, data_plane as "dataPlane", workspace, server, server_id as "serverId", member, caller, caller_kind as "callerKind", endpoint, http, era, method, tool,
  outcome, credentials, headers, upstream_status as "upstreamStatus", upstream_ms as "upstreamMs", duration_ms as "durationMs" from call_events`;

/** The newest first. @param before exclusive */
export async function listCallEvents(sql: Sql, filter: CallEventFilter, before: CallEventPosition | undefined, limit: number): Promise<CallEvent[]> {
  const { from, to, ...equal } = filter;
  const parameters: unknown[] = [];
  const parameter = (value: unknown): string => `$${parameters.push(value)}`;
  // Only what is asked for: that is what an index is chosen by.
  const conditions = Object.entries(equal).flatMap(([column, value]) => (value === undefined ? [] : [`${column} = ${parameter(value)}`]));
  if (from !== undefined) conditions.push(`at >= ${parameter(from)}`);
  if (to !== undefined) conditions.push(`at < ${parameter(to)}`);
  // The first condition is for the planner: of days that come after, no partition is looked at.
  if (before !== undefined) conditions.push(`at <= ${parameter(before.at)}`, `(at, id) < (${parameter(before.at)}, ${parameter(before.id)})`);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return (await sql<Row>(`${select} ${where} order by at desc, id desc limit ${parameter(limit)}`, parameters)).map(toEvent);
}

/** What an event does not say is absent. */
const toEvent = (row: Row): CallEvent => Object.fromEntries(Object.entries<unknown>({ ...row, at: row.at.toISOString() }).filter(([, value]) => value !== null)) as CallEvent;
