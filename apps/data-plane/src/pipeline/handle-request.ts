import { ConnectError, type RefusedToken } from '@gatehouse/access-tokens';
import type { Credential } from '@gatehouse/app-auth';
import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { cleanHeaders } from '@gatehouse/upstream-request';
import type { Admission } from './admission.ts';
import { authenticateCaller } from './authenticate-caller.ts';
import { authorizeCaller } from './authorize-caller.ts';
import { buildUpstreamRequest } from './build-upstream-request.ts';
import { challengeOf } from './challenge.ts';
import { checkOrigin, corsHeaders, preflightHeaders } from './check-origin.ts';
import { checkTools } from './check-tools.ts';
import { answerUnconnected } from './connect/answer-unconnected.ts';
import { obtainWhenConnected } from './connect/obtain-when-connected.ts';
import { type SendCall, sendInSession } from './connect/send-in-session.ts';
import { tellWhenConnected } from './connect/tell-when-connected.ts';
import { filterTools } from './filter-tools.ts';
import { groundsOf } from './grounds-of.ts';
import type { Gateway } from './gateway.ts';
import { matchServer, parseRoute } from './match-server.ts';
import { CallRecord } from './call-record.ts';
import { readCall } from './read-call.ts';
import { renderError } from './render-error.ts';
import type { IncomingRequest, Reply, UpstreamResponse } from './request.ts';
import { relayMessage, relayStream } from './relay-legacy-sse.ts';
import { sendWithFreshTokens } from './send-with-fresh-tokens.ts';
import { shapeResponse } from './shape-response.ts';

/** Every tool call, from the caller's bytes to the upstream's answer. The order of the lines is the security of the product. */
export async function handleRequest(gateway: Gateway, request: IncomingRequest): Promise<Reply> {
  const record = new CallRecord(gateway.now());
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
    if (request.method === 'OPTIONS' && origin !== undefined) return { status: 204, headers: [...corsHeaders(origin), ...preflightHeaders(headers)], body: undefined };

    const server = (record.server = matchServer(snapshot, route));

    // The body is read only for callers that are known and may call: strangers cost no memory.
    const caller = (record.caller = await authenticateCaller(server, headers, snapshot, gateway.authentication));
    authorizeCaller(snapshot, server, caller);
    const call = (record.call = await readCall(request, route, headers, server, caller, gateway.callContext));

    // Before anything is fetched or sent for it: a tool that may not be called is one that is not there.
    checkTools(server, call, headers);

    const obtain = (refused?: RefusedToken) => obtainWhenConnected({ tokens: gateway.tokens, snapshot, pending: gateway.connecting.pending }, server, caller, call, request, headers, refused);
    const upstreamPath = route.endpoint === 'sse-messages' ? relayMessage(route, call, gateway) : undefined;

    let admission: Admission = { server, caller };
    const buildAndForward = (credentials: readonly Credential[]): SendCall => (sent, sentHeaders) => {
      // The header policy first, credentials last: nothing of the caller's can name or replace them.
      const { outgoing, verdicts } = buildUpstreamRequest(snapshot, server, sent, request, sentHeaders, credentials, gateway.timeouts, upstreamPath);
      record.verdicts = verdicts;
      return gateway.forward({ route, admission, upstream: server.upstream, call: sent, request, outgoing }, record);
    };
    const send = (credentials: readonly Credential[]): Promise<UpstreamResponse> => {
      // What it opens lasts no longer than the tokens that it is opened with are good for.
      admission = { server, caller, grounds: groundsOf(credentials) };
      return sendInSession(server, gateway.connecting.upstreamSessions, call, headers, buildAndForward(credentials));
    };
    // Obtained, built and sent in this order, each time: what was refused is not sent again.
    const response = await sendWithFreshTokens(obtain, send, server.upstream.origin);

    const shaped = shapeResponse(server, call, record.verdicts ?? [], response, gateway.shapeContext);
    const filtered = server.tools === undefined ? shaped : await filterTools(server.tools, shaped, gateway.limits.filteredBytes);
    const told = tellWhenConnected(gateway.connecting.pending, admission, call, filtered);
    const reply = route.endpoint === 'sse' ? relayStream(told, server, call, gateway) : told;
    return withCors(reply.isEventStream ? { ...reply, admission } : reply, origin);
  } catch (thrown) {
    const error = (record.error = toGatewayError(thrown));
    // Not an end, but the way to a connection.
    if (error instanceof ConnectError) return withCors(answerUnconnected(gateway, request, record, error), origin);
    return withCors(renderError(error, record.route, record.call?.message?.id ?? null, challengeOf(error, record, gateway.authentication)), origin);
  } finally {
    gateway.record(record);
  }
}

function withCors(reply: Reply, origin: string | undefined): Reply {
  if (origin !== undefined) reply.headers.push(...corsHeaders(origin));
  return reply;
}
