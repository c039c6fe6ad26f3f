import type { CallRecord } from './pipeline/call-record.ts';

/**
 * What is said of a call, in its line of the log and in its event. A class, so that all of them have one shape: what is undefined is
 * not written. Never an argument, a value or the name of a header.
 */
export class CallLine {
  readonly workspace: string | undefined;
  readonly server: string | undefined;
  readonly serverId: string | undefined;
  /** Of a virtual server, whose tool it was. */
  readonly member: string | undefined;
  readonly caller: string | undefined;
  readonly callerKind: string | undefined;
  readonly endpoint: string | undefined;
  readonly http: string | undefined;
  readonly era: string | undefined;
  readonly method: string | undefined;
  readonly tool: string | undefined;
  readonly outcome: string;
  /** How the credentials that were sent were come by. */
  readonly credentials: readonly string[] | undefined;
  /** How many were kept, dropped for which reason, …: never which, never what was in them. */
  readonly headers: Readonly<Record<string, number>> | undefined;
  readonly upstreamStatus: number | undefined;
  readonly upstreamMs: number | undefined;
  readonly durationMs: number;
  /** Of its span, where there is one. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;

  constructor({ server, answeredBy, route, caller, call, error, credentials, upstreamStatus, upstreamMs, trace }: CallRecord, elapsedMs: number, outcomes: Readonly<Record<string, number>> | undefined) {
    const { method, name } = call?.message ?? {};
    this.workspace = server?.workspace;
    this.server = server?.name;
    this.serverId = server?.id;
    this.member = answeredBy === server ? undefined : answeredBy?.name;
    this.caller = caller === undefined ? undefined : bounded(caller.id);
    this.callerKind = caller?.kind;
    this.endpoint = route?.endpoint;
    this.http = call?.method;
    // Of plain HTTP there is none.
    this.era = route?.endpoint === 'api' ? undefined : call?.era;
    this.method = method === undefined ? undefined : bounded(method);
    this.tool = method === 'tools/call' && name !== undefined ? bounded(name) : undefined;
    this.outcome = error?.code ?? 'ok';
    this.credentials = credentials;
    this.headers = outcomes;
    this.upstreamStatus = upstreamStatus;
    this.upstreamMs = upstreamMs === undefined ? undefined : round(upstreamMs);
    this.durationMs = round(elapsedMs);
    const span = trace?.span.isSampled === true ? trace.span : undefined;
    this.traceId = span?.traceId;
    this.spanId = span?.spanId;
  }
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

const maxLength = 256;

/** Names in messages are the caller's text: short, and nothing that could be mistaken for another line. */
export const bounded = (name: string): string => (name.length <= maxLength ? name : name.slice(0, maxLength));
