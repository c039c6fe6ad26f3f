import { ConnectError } from '@gatehouse/access-tokens';
import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { cleanHeaders, type PreparedVirtual } from '@gatehouse/upstream-request';
import { withinLimits } from '../limits/within-limits.ts';
import type { AdmittedCall } from './admitted-call.ts';
import { answerCall } from './answer-call.ts';
import { authenticateCaller } from './authenticate-caller.ts';
import { authorizeCaller } from './authorize-caller.ts';
import { challengeOf } from './challenge.ts';
import { checkOrigin, corsHeaders, preflightHeaders } from './check-origin.ts';
import { answerUnconnected } from './connect/answer-unconnected.ts';
import type { Gateway } from './gateway.ts';
import { matchServer, parseRoute } from './match-server.ts';
import { CallRecord } from './call-record.ts';
import { readCall } from './read-call.ts';
import { renderError } from './render-error.ts';
import { CallTrace } from '../traces/call-trace.ts';
import { answerVirtual } from '../virtual/answer-virtual.ts';
import type { IncomingRequest, Reply } from './request.ts';

/**
 * Every tool call, from the caller's bytes to the upstream's answer: here who calls, in `answerCall` as whom the upstream is called.
 * The order of the lines is the security of the product.
 */
export async function handleRequest(gateway: Gateway, request: IncomingRequest): Promise<Reply> {
  const record = new CallRecord(gateway.now(), gateway.stages());
  let origin: string | undefined;
  try {
    const route = (record.route = parseRoute(request.target));
    if (route === undefined) throw new GatewayError('not_found');

    // One snapshot from here to the last line: a change of configuration never meets a request half way.
    const snapshot = gateway.snapshot();

    // Limits and duplicates before anything is read from a header; what `Connection` nominates is gone before ours are added.
    const headers = cleanHeaders(request.headers, gateway.limits.headers);

    // Before anything is said about servers: a web page must not even learn which there are.
    checkOrigin(headers, gateway.originRules);
    origin = headers.origin;
    if (request.method === 'OPTIONS' && origin !== undefined) return { status: 204, headers: [...corsHeaders(origin), ...preflightHeaders(headers, route)], body: undefined };

    const server = (record.server = matchServer(snapshot, route));

    // The body is read only for callers that are known and may call: strangers cost no memory.
    const authenticated = authenticateCaller(server, headers, snapshot, gateway.authentication);
    // Mostly known at once: a turn of the event loop for nothing would be one of the dearer things on this page.
    const caller = (record.caller = authenticated instanceof Promise ? await authenticated : authenticated);
    authorizeCaller(snapshot, server, caller);
    // Not before: what strangers ask for makes no spans, and they do not choose which traces are kept.
    if (gateway.tracer !== undefined) record.trace = new CallTrace(gateway.tracer, request, headers, record.startedAt);
    record.stages?.passed('authenticate');
    const call = (record.call = await readCall(request, route, headers, server, caller, gateway.callContext));
    record.stages?.passed('read');

    // From here on it is not about who calls, but as whom: for each member of a virtual server anew.
    const { trace } = record;
    trace?.join(call.message);
    const admitted = { snapshot, route, server, caller, call, request, headers, trace };
    // Strangers use up nobody's share of a limit, and what is too much is not even looked at any further.
    return withCors(await withinLimits(gateway, admitted, record, server.virtual === undefined ? answerCall : answerAsVirtual), origin);
  } catch (thrown) {
    const error = (record.error = toGatewayError(thrown));
    // Not an end, but the way to a connection.
    if (error instanceof ConnectError) return withCors(answerUnconnected(gateway, request, record, error), origin);
    return withCors(renderError(error, record.route, record.call?.message?.id ?? null, challengeOf(error, record, gateway.authentication)), origin);
  } finally {
    gateway.record(record);
  }
}

const answerAsVirtual = (gateway: Gateway, admitted: AdmittedCall, record: CallRecord): Promise<Reply> => answerVirtual(gateway, admitted, admitted.server.virtual as PreparedVirtual, record);

function withCors(reply: Reply, origin: string | undefined): Reply {
  if (origin !== undefined) reply.headers.push(...corsHeaders(origin));
  return reply;
}
