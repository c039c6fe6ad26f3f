import type { Caller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { CallerHeaders, callerHeaderReader, callerTokenOf, cleanHeaders, obtainCredentials, type PreparedServer } from '@gatehouse/upstream-request';
import type { Admission } from '../pipeline/admission.ts';
import { buildUpstreamRequest } from '../pipeline/build-upstream-request.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { IncomingRequest, UpstreamRequest } from '../pipeline/request.ts';
import type { Snapshot } from '../snapshot/current-snapshot.ts';
import { stillAdmitted } from '../snapshot/still-admitted.ts';
import type { BridgeSession } from './bridge-session.ts';
import { fitsHeader } from './upstream-variants.ts';

/** What the gateway sends of itself in a session with a Streamable HTTP upstream: the GET that listens or resumes, the DELETE. */
export interface OwnRequest {
  readonly method: 'GET' | 'DELETE';
  /** The upstream's own id of the session. */
  readonly upstreamSession: string | undefined;
  readonly protocolVersion: string | undefined;
  readonly lastEventId?: string | undefined;
  /** A request of the caller's that is open: of its headers those leave that may. Without one, nothing of a caller's does. */
  readonly listening?: Pick<IncomingRequest, 'headers'> | undefined;
}

/** @throws GatewayError session_not_found where the session has no place any more, credential_unavailable */
export type ComposeOwn = (session: Pick<BridgeSession, 'owner' | 'admission'>, own: OwnRequest) => Promise<UpstreamRequest>;

/**
 * Composes such a request as the pipeline would at this moment: from the snapshot of now, with credentials obtained now. What
 * was changed, replaced or withdrawn since the session was opened is not sent again (P6 and P17).
 * @throws as `ComposeOwn` says
 */
export async function composeOwnRequest(
  { snapshot, limits, timeouts, tokens, authentication }: Pick<Gateway, 'snapshot' | 'limits' | 'timeouts' | 'tokens' | 'authentication'>,
  { owner, admission }: Pick<BridgeSession, 'owner' | 'admission'>,
  { method, upstreamSession, protocolVersion, lastEventId, listening }: OwnRequest,
): Promise<UpstreamRequest> {
  const current = snapshot();
  const server = serverOf(current, admission);
  // A caller that would not be let in is not listened for. That its session is over can be said to the upstream all the same.
  if (server === undefined || (method === 'GET' && !stillAdmitted(current, admission))) {
    throw new GatewayError('session_not_found', { detail: 'what it was opened by is gone' });
  }
  const isOver = hasExpired(admission.caller, authentication.now());
  if (method === 'GET' && isOver) throw new GatewayError('session_not_found', { detail: 'the token that it was opened with has expired' });
  const rows = listening?.headers ?? [];
  const given = cleanHeaders(rows, limits.headers);
  // Not the caller's own words for these, nor its trace: this request is none of its steps.
  const headers = Object.assign(new CallerHeaders(), {
    accept: method === 'GET' ? 'text/event-stream' : undefined,
    protocolVersion: fitting(protocolVersion),
    lastEventId: fitting(lastEventId),
    nominated: given.nominated,
  });
  const callerHeader = callerHeaderReader(server, current.headerPolicy, rows, headers);
  // A listening request is the one that the session was opened by: its token and this caller are of one verification.
  const callerToken = callerTokenOf(admission.caller, given, current.authorizationServer?.issuer);
  const caller = isOver ? undefined : admission.caller;
  const credentials = await obtainCredentials(server, { server, caller, callerToken, tokens, identity: current.identity, callerHeader });
  const call = { method, era: 'legacy', body: undefined, listens: method === 'GET', message: undefined, owner, upstreamSession: fitting(upstreamSession), connectSession: undefined, connectResponse: undefined } as const;
  return buildUpstreamRequest(current, server, call, { headers: rows }, headers, credentials, timeouts).outgoing;
}

/**
 * Whether the token that said who calls has ended since: then nobody says so any more, nothing is asked for on its word, and nothing that
 * it said goes on. People are admitted for as long as their grant lasts, and that they still are has been looked at.
 */
function hasExpired({ kind, claims }: Caller, now: number): boolean {
  const expiresAt = claims?.['exp'];
  return kind === 'token' && typeof expiresAt === 'number' && expiresAt * 1000 <= now;
}

/**
 * The server as it is now, if it is served and its upstream is still the session's: the credentials of now belong to the upstream
 * of now, and to no other.
 */
function serverOf({ documents }: Snapshot, { server: then }: Admission): PreparedServer | undefined {
  const document = documents.get(then.id);
  if (document?.kind !== 'server') return undefined;
  const { server } = document;
  const isSame = server.workspace === then.workspace && server.upstream.url === then.upstream.url && server.upstream.transport === then.upstream.transport;
  return isSame && server.enabled ? server : undefined;
}

/** These are the upstream's own words: what no header can hold is not sent back. */
const fitting = (value: string | undefined): string | undefined => (value !== undefined && fitsHeader(value) ? value : undefined);
