import { describe, expect, it } from 'vitest';
import type { BodySink, StreamedBody } from '../../pipeline/request.ts';
import { prepareServer } from '@gatehouse/upstream-request';
import type { BridgeContext, Dispatch } from '../bridge-context.ts';
import { UpstreamExchanges } from './upstream-exchanges.ts';

const { upstream } = prepareServer('id', 'w', { type: 'mcp', name: 'n', upstream: { url: 'http://up.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } });
const outgoing = { method: 'POST', path: '/mcp', headers: [], body: undefined, responseTimeoutMs: 1, idleTimeoutMs: 1 };

/** An exchange whose answer is given up without being read, and what the end of the session does to it. */
async function giveUp(pipe: (body: StreamedBody) => void): Promise<string[]> {
  const heard: string[] = [];
  let sink: BodySink | undefined;
  const body: StreamedBody = { pipe: (taken) => (sink = taken), resume: () => undefined, abort: () => heard.push('aborted') };
  const dispatch: Dispatch = (_upstream, _outgoing, request) => {
    request.onDisconnect(() => heard.push('broken off'));
    return Promise.resolve({ status: 200, headers: {}, body });
  };
  const exchanges = new UpstreamExchanges({ dispatch } as BridgeContext, upstream);
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
