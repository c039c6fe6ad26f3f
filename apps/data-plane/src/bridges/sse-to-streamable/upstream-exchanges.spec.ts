import { anonymousCaller } from '@gatehouse/agent-auth';
import { GatewayError } from '@gatehouse/errors';
import { describe, expect, it } from 'vitest';
import type { BodySink, StreamedBody } from '../../pipeline/request.ts';
import { prepareServer } from '@gatehouse/upstream-request';
import type { BridgeContext, Dispatch } from '../bridge-context.ts';
import type { ComposeOwn } from '../compose-own-request.ts';
import { UpstreamExchanges } from './upstream-exchanges.ts';

const server = prepareServer('id', 'w', { type: 'mcp', name: 'n', upstream: { url: 'http://up.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } });
const owner = { workspace: 'w', serverId: 'id', upstreamUrl: server.upstream.url, callerId: anonymousCaller.id };
const session = { owner, admission: { server, caller: anonymousCaller }, upstream: server.upstream };
const outgoing = { method: 'POST', path: '/mcp', headers: [], body: undefined, listens: false, responseTimeoutMs: 1, idleTimeoutMs: 1 };

/** An exchange whose answer is given up without being read, and what the end of the session does to it. */
async function giveUp(pipe: (body: StreamedBody) => void): Promise<string[]> {
  const heard: string[] = [];
  let sink: BodySink | undefined;
  const body: StreamedBody = { pipe: (taken) => (sink = taken), resume: () => undefined, abort: () => heard.push('aborted') };
  const dispatch: Dispatch = (_upstream, _outgoing, request) => {
    request.onDisconnect(() => heard.push('broken off'));
    return Promise.resolve({ status: 200, headers: {}, body });
  };
  const exchanges = new UpstreamExchanges({ dispatch } as BridgeContext, session, undefined);
  const response = await exchanges.post(outgoing);
  pipe(response.body);
  sink?.end();
  await exchanges.end();
  return heard;
}
const reader: BodySink = { write: () => true, end: () => undefined, fail: () => undefined };

describe('an exchange', () => {
  it('that is open is broken off with its session', async () => expect(await giveUp(() => undefined)).toEqual(['broken off']));
  it('that was read to its end is forgotten', async () => expect(await giveUp((body) => body.pipe(reader))).toEqual([]));
  it('whose answer nobody read is forgotten when that is given up', async () => expect(await giveUp((body) => body.abort())).toEqual(['aborted']));
});

it('a caller that leaves while its request is composed is not asked for any more', async () => {
  const { promise: credentials, resolve } = Promise.withResolvers<undefined>();
  const sent: string[] = [];
  const dispatch: Dispatch = (_upstream, { method }) => {
    sent.push(method);
    return Promise.reject(new GatewayError('upstream_unreachable'));
  };
  const composeOwn: ComposeOwn = async (_session, { method }) => {
    await credentials;
    return { ...outgoing, method };
  };
  const exchanges = new UpstreamExchanges({ dispatch, dispatchStream: dispatch, composeOwn }, session, { headers: ['x-tenant', 'acme'] });
  const asked = exchanges.listen(undefined);
  await exchanges.end();
  resolve(undefined);
  await expect(asked).rejects.toMatchObject({ code: 'session_not_found' });
  expect(sent).toEqual([]);
});
