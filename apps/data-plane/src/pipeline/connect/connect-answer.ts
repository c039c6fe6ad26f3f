import type { ConnectError } from '@gatehouse/access-tokens';
import { type ConnectLink, elicitsUrls, messageElicitsUrls, rpcError, rpcErrorCodes, type SealedSessions, toolResult, urlElicitationRequired, urlInputRequired } from '@gatehouse/mcp-protocol';
import type { Call } from '../read-call.ts';
import { problemType } from '../render-problem.ts';
import type { Reply } from '../request.ts';
import { sealRequestState } from './request-states.ts';

/** The three that may ask for input (MCP 2026-07-28, multi round-trip requests). */
const mayAskForInput = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * How a client is told that its person has to connect an account (D10, docs/rules.md), in the best form that it knows. The link is for
 * the caller alone, who is asked to log in there.
 */
export function connectAnswer(call: Call, error: ConnectError, states: SealedSessions): Reply {
  const link = linkOf(error);
  const { message, body, connectResponse } = call;
  const id = message?.id ?? null;
  const isModern = call.era === 'modern';
  const method = message?.method;
  const hasRefused = connectResponse?.action === 'decline' || connectResponse?.action === 'cancel';
  if (isModern && !hasRefused && body !== undefined && mayAskForInput.has(method ?? '') && messageElicitsUrls(body)) {
    return jsonReply(200, urlInputRequired(id, link, sealRequestState(states, call.owner, body)));
  }
  const client = call.connectSession?.client;
  if (!isModern && client !== undefined && elicitsUrls(client.capabilities)) return jsonReply(200, urlElicitationRequired(id, link));
  if (method === 'tools/call') return jsonReply(200, toolResult(id, hasRefused ? `${error.app} was not ${error.isCredential ? 'entered' : 'connected'}: its person refused.` : textOf(link, error), true, isModern));
  return jsonReply(200, connectRpcError(call, error));
}

/** As an error: for what is answered in no other way. */
export function connectRpcError(call: Pick<Call, 'message'> | undefined, error: ConnectError, data: object = {}): string {
  const { url: connectUrl, linkId, message } = linkOf(error);
  return rpcError({ id: call?.message?.id ?? null, code: rpcErrorCodes.gatewayError, message, data: { code: error.code, reason: error.reason, connectUrl, linkId, ...data } });
}

/** For plain HTTP (RFC 9457). */
export function connectProblem(error: ConnectError): Reply {
  const { url: connectUrl, message } = linkOf(error);
  const body = JSON.stringify({ type: problemType(error), title: error.publicMessage, status: error.status, detail: message, code: error.code, reason: error.reason, connectUrl });
  return jsonReply(error.status, body, 'application/problem+json');
}

export const jsonReply = (status: number, body: string, type = 'application/json', more: readonly string[] = []): Reply => ({
  status,
  // Links are for one caller: nothing between here and there may keep them.
  headers: ['content-type', type, 'cache-control', 'no-store', 'content-length', String(Buffer.byteLength(body)), ...more],
  body,
});

const textOf = ({ url, message }: ConnectLink, { isShared }: ConnectError): string =>
  `${message} Open this link: ${url}\nIt is for ${isShared ? 'an administrator' : 'this person'} only, and works once, for ten minutes. Then try again.`;

function linkOf({ connectUrl, linkId, app, reason, isShared, isCredential }: ConnectError): ConnectLink {
  if (isCredential) return { url: connectUrl, linkId, message: reason === 'not_connected' ? `Enter your ${app} to go on.` : `Your ${app} is not accepted: enter another one to go on.` };
  const message = isShared ? `An administrator has to connect ${app}${reason === 'not_connected' ? '' : ' again'}, once for everyone who uses it here.` : messages[reason](app);
  return { url: connectUrl, linkId, message };
}

const messages: Readonly<Record<ConnectError['reason'], (app: string) => string>> = {
  not_connected: (app) => `Connect your ${app} account to go on.`,
  scopes: (app) => `This needs more permissions of your ${app} account than you have given: connect it again to go on.`,
  refused: (app) => `${app} does not accept the connection any more: connect your account again to go on.`,
  expired: (app) => `The connection with your ${app} account has expired: connect it again to go on.`,
};
