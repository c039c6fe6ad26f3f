import type { RefusedToken } from '@gatehouse/access-tokens';
import type { Credential } from '@gatehouse/app-auth';
import type { Admission } from './admission.ts';
import type { AdmittedCall } from './admitted-call.ts';
import { askOf } from './ask-of.ts';
import { buildUpstreamRequest } from './build-upstream-request.ts';
import type { CallRecord } from './call-record.ts';
import { checkTools } from './check-tools.ts';
import { credentialKindsOf } from './credential-kinds-of.ts';
import { obtainWhenConnected } from './connect/obtain-when-connected.ts';
import type { SendCall } from './connect/send-in-session.ts';
import type { Gateway } from './gateway.ts';
import { groundsOf } from './grounds-of.ts';
import type { Reply, UpstreamResponse } from './request.ts';
import { sendWithFreshTokens } from './send-with-fresh-tokens.ts';
import { forwardIn, tokensIn, waitingIn } from '../traces/in-trace.ts';

/**
 * As whom the upstream of a server is called, and with which headers: the second half of every call, whatever the server is. Here
 * too the order of the lines is the security of the product.
 * @throws ToolRefusal, ConnectError, GatewayError as its stages say
 */
export async function answerCall(gateway: Gateway, admitted: AdmittedCall, record: CallRecord): Promise<Reply> {
  const { snapshot, route, server, caller, call, request, headers, trace } = admitted;
  record.answeredBy = server;

  // Before anything is fetched or sent for it: a tool that may not be called is one that is not there.
  checkTools(server, call, headers);

  // What needs no upstream needs no credential either.
  const ask = askOf(gateway, admitted, record);
  if ('status' in ask) return ask;

  const tokens = tokensIn(trace, gateway.tokens);
  const obtain = waitingIn(trace, 'obtain credentials', (refused?: RefusedToken) => obtainWhenConnected({ tokens, snapshot, pending: gateway.connecting.pending }, server, caller, call, request, headers, refused));
  let admission: Admission = { server, caller };
  const buildAndForward = (credentials: readonly Credential[]): SendCall => (sent, sentHeaders) => {
    const attempt = trace?.attempt(server, sent, sentHeaders);
    // The header policy first, credentials last: nothing of the caller's can name or replace them.
    const { outgoing, verdicts } = buildUpstreamRequest(snapshot, server, sent, request, attempt?.headers ?? sentHeaders, credentials, gateway.timeouts);
    record.verdicts = verdicts;
    return forwardIn(attempt, gateway, { route, admission, upstream: server.upstream, call: sent, request, outgoing }, record);
  };
  const send = (credentials: readonly Credential[]): Promise<UpstreamResponse> => {
    // What it opens lasts no longer than the tokens that it is opened with are good for.
    admission = { server, caller, grounds: groundsOf(credentials) };
    record.credentials = credentialKindsOf(server, credentials);
    record.stages?.passed('prepare');
    return ask.send(buildAndForward(credentials), credentials);
  };
  // Obtained, built and sent in this order, each time: what was refused is not sent again.
  const response = await sendWithFreshTokens(obtain, send, server.upstream.origin);

  return ask.reply(response, admission);
}
