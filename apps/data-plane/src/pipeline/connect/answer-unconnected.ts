import type { ConnectError } from '@gatehouse/access-tokens';
import { connectDiscovered, connectInitialized, connectToolList, firstModernRevision, negotiatedRevision, readLegacyClient, rpcError, rpcErrorCodes, rpcResult, type ServerDescription } from '@gatehouse/mcp-protocol';
import { version } from '@gatehouse/service-runtime';
import type { CallRecord } from '../call-record.ts';
import type { Gateway } from '../gateway.ts';
import type { Call } from '../read-call.ts';
import type { IncomingRequest, Reply } from '../request.ts';
import { connectAnswer, connectProblem, connectRpcError, jsonReply } from './connect-answer.ts';
import { sealConnectSession } from './connect-session.ts';

type ConnectGateway = Pick<Gateway, 'connecting' | 'callContext' | 'shapeContext'>;
type KnownCall = Pick<CallRecord, 'route' | 'server' | 'caller' | 'call'>;

/**
 * What a caller without a connection gets in the upstream's place: upstreams like GitHub's want a token for everything, and a client
 * that cannot even begin could never show anybody a link. So it gets a session, one tool, and the way to connect with whatever it calls.
 */
export function answerUnconnected({ connecting, callContext, shapeContext }: ConnectGateway, request: Pick<IncomingRequest, 'onDisconnect'>, { route, server, caller, call }: KnownCall, error: ConnectError): Reply {
  if (route?.endpoint === 'api') return connectProblem(error);
  // Where answers belong on a stream that is the upstream's, there is none yet.
  if (route?.endpoint !== 'mcp' || server === undefined || caller === undefined || call === undefined) return jsonReply(error.status, connectRpcError(call, error));
  connecting.pending.issued(error, server.id, caller);
  if (call.method === 'GET') {
    const stream = connecting.pending.open(error, server.id, caller);
    request.onDisconnect(() => stream.abort());
    const headers = ['content-type', 'text/event-stream', 'cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no'];
    return { status: 200, headers, body: shapeContext.eventStream(stream), isEventStream: true, onlyListens: true, admission: { server, caller } };
  }
  if (call.method === 'DELETE') {
    if (call.connectSession !== undefined) connecting.upstreamSessions.end(call.connectSession.id);
    return { status: 200, headers: ['content-length', '0'], body: undefined };
  }

  const { message, era, body } = call;
  const method = message?.method;
  const id = message?.id ?? null;
  // A response to nothing that was asked, or a notification: taken, as nobody waits for more. A batch is told of as a whole.
  if (isOnlyTaken(call)) return { status: 202, headers: ['content-length', '0'], body: undefined };
  switch (method) {
    case 'initialize': {
      const client = readLegacyClient(body as Buffer);
      const session = sealConnectSession(callContext.sessions, call.owner, client, undefined);
      return jsonReply(200, connectInitialized(id, negotiatedRevision(client.protocolVersion), describe(server, error)), 'application/json', ['mcp-session-id', session]);
    }
    case 'server/discover':
      // As such an upstream would: what the client settles on now has to last when it is connected.
      if (connecting.upstreamSessions.isLegacy(server.id)) return jsonReply(400, rpcError({ id, code: rpcErrorCodes.methodNotFound, message: 'Method not found' }));
      return jsonReply(200, connectDiscovered(id, [firstModernRevision], describe(server, error)));
    case 'ping':
      return jsonReply(200, rpcResult(id, {}));
    case 'tools/list':
      return jsonReply(200, connectToolList(id, error.app, era === 'modern', error.isCredential ? 'enter' : 'connect'));
    default:
      return connectAnswer(call, error, connecting.requestStates);
  }
}

function isOnlyTaken({ message, body }: Call): boolean {
  if (message?.method !== undefined) return message.id === null;
  return !/^\s*\[/.test(body?.toString('latin1', 0, 64) ?? '');
}

const describe = ({ name, title }: { readonly name: string; readonly title: string }, { app, isCredential }: ConnectError): ServerDescription => ({
  name,
  title,
  version,
  instructions: `The person has not ${isCredential ? 'entered' : 'connected'} ${app} yet. Call the tool connect_account, or any other, to get the link to do so; afterwards list the tools again.`,
});
