import { GatewayError } from '@gatehouse/errors';
import { EndpointEvent, endpointPath } from '@gatehouse/mcp-protocol';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { AnswerStream } from './answer-stream.ts';
import type { Gateway } from './gateway.ts';
import { mapBody } from './map-body.ts';
import type { Route } from './match-server.ts';
import type { Call } from './read-call.ts';
import type { Reply, StreamedBody } from './request.ts';

const purpose = 'sse-endpoint';

/**
 * Legacy HTTP+SSE (MCP 2024-11-05): the stream's first event names where messages are posted. The caller is given a place of
 * ours that has the upstream's own sealed in it, so that any replica can pass messages on.
 */
export function relayStream(reply: Reply, server: PreparedServer, call: Call, { callContext, publicPath }: Gateway): Reply {
  // A refusal, or anything else that is no event stream, is the upstream's answer as it is.
  if (typeof reply.body !== 'object' || !reply.isEventStream) return reply;
  const { body } = reply;
  const rewrite = new EndpointEvent((endpoint) => {
    // On another origin the credentials would follow it there: it is not accepted (D7, docs/rules.md).
    const path = endpointPath(endpoint, server.upstream.url);
    if (path === undefined) return undefined;
    const id = callContext.sessions.seal(purpose, call.owner, path);
    return `${publicPath}/sse/${server.workspace}/${server.name}/messages?sessionId=${id}`;
  });
  const answers = new AnswerStream();
  return { ...reply, body: rewrittenBody(body, rewrite, answers), answers };
}

/**
 * The upstream's path that a posted message belongs to.
 * @throws GatewayError session_required, session_not_found
 */
export function relayMessage(route: Route, call: Call, { callContext }: Gateway): string {
  const id = new URLSearchParams(route.search).get('sessionId');
  if (!id) throw new GatewayError('session_required');
  const path = callContext.sessions.open(purpose, call.owner, id);
  if (path === undefined) throw new GatewayError('session_not_found');
  return path;
}

function rewrittenBody(body: StreamedBody, rewrite: EndpointEvent, answers: AnswerStream): StreamedBody {
  let isRewritten = false;
  return mapBody(body, () => ({
    write: (chunk, sink) => {
      if (isRewritten) {
        const wantsMore = sink.write(chunk);
        answers.passed(chunk);
        return wantsMore;
      }
      const result = rewrite.push(chunk);
      if (result.state === 'invalid') {
        body.abort();
        sink.fail(new GatewayError('upstream_failed', { detail: 'the stream does not begin with an endpoint at the upstream’s origin' }));
        return false;
      }
      isRewritten = result.state === 'rewritten';
      return result.output.length === 0 || sink.write(result.output);
    },
  }));
}
