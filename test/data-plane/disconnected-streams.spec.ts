import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { TokenAnswer } from '@gatehouse/access-tokens';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* A stream that was opened with somebody's token goes on with it for hours: who disconnects ends it (P13). */

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
/** What the upstream has open, the newest last. */
let streams: ServerResponse[];
let generation: number;
let names = 0;

beforeAll(async () => {
  [upstream, issuer, broker] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startSpecBroker()]);
  dataPlane = await startPublicDataPlane(broker.environment);
  await dataPlane.publishAuthorizationServer(issuer);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), broker.close()]);
});
beforeEach(() => {
  [streams, generation] = [[], 1];
  upstream.requests.length = 0;
  upstream.handle((_request, response) => stream(response));
  broker.answer(({ subject }): TokenAnswer => {
    const { person } = subject as { person: string };
    return { status: 'token', accessToken: `token-${generation}`, connection: `connection-${generation}-of-${person}`, owner: 'app', person };
  });
});

function stream(response: ServerResponse, first = 'data: first\n\n'): void {
  streams.push(response);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(first);
}
async function publish(more: Partial<SpecServer> = {}, to = dataPlane): Promise<string> {
  const name = `server-${(names += 1)}`;
  await to.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' }, ...more });
  return name;
}
const headersFor = async (name: string, person: object, to = dataPlane): Promise<Record<string, string>> => ({ authorization: `Bearer ${await signAccessToken(issuer, `${to.url}/mcp/default/${name}`, { ...person })}` });
const listen = async (name: string, person: object = ana, form = 'mcp', to = dataPlane): Promise<Response> =>
  fetch(`${to.url}/${form}/default/${name}`, { headers: { ...(await headersFor(name, person, to)), accept: 'text/event-stream' } });
const ask = async (name: string, method = 'tools/call', params: object = { name: 'slow' }): Promise<Response> =>
  fetch(`${dataPlane.url}/mcp/default/${name}`, {
    method: 'POST',
    headers: { ...(await headersFor(name, ana)), 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });

interface Stream {
  /** The next event, or undefined where the stream has ended in order. */
  next(): Promise<string | undefined>;
}
async function begun(response: Promise<Response>, first = 'first'): Promise<Stream> {
  const reader = (await response).body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string | undefined> => (await reader?.read())?.value;
  expect(await next()).toContain(first);
  return { next };
}
/** Whether it is open: something the upstream says now arrives. */
async function isOpen(open: Stream, from: ServerResponse | undefined): Promise<boolean> {
  from?.write('data: more\n\n');
  return (await open.next()) === 'data: more\n\n';
}

describe('streams that run on a token', () => {
  it.each([
    ['its connection', `connection-1-of-${ana.sub}`],
    ['its person', ana.sub],
  ])('end once %s is withdrawn, and the upstream’s with them; others do not', async (_name, subject) => {
    const name = await publish();
    const anas = await begun(listen(name));
    const asking = await begun(ask(name));
    const bens = await begun(listen(name, ben));
    const closed = streams.slice(0, 2).map((response) => once(response, 'close'));
    await dataPlane.withdraw(subject);
    expect([await anas.next(), await asking.next()]).toEqual([undefined, undefined]);
    expect(await isOpen(bens, streams[2])).toBe(true);
    await Promise.all(closed);
  });

  it('end once their app is withdrawn, whoever’s they are', async () => {
    const name = await publish();
    const [anas, bens] = [await begun(listen(name)), await begun(listen(name, ben))];
    await dataPlane.withdraw('app');
    expect([await anas.next(), await bens.next()]).toEqual([undefined, undefined]);
  });

  it('stay open where they began with a token of afterwards', async () => {
    const name = await publish();
    await begun(listen(name));
    await dataPlane.withdraw(ana.sub);
    generation = 2;
    const again = await begun(listen(name));
    // Named still, as it is for an hour, and another besides.
    await publish();
    await dataPlane.withdraw(`connection-1-of-${ana.sub}`);
    expect(await isOpen(again, streams[1])).toBe(true);
    expect(upstream.requests.map((request: RecordedRequest) => headerValue(request, 'authorization'))).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('end as they begin where their token was withdrawn before the upstream answered', async () => {
    const name = await publish();
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<undefined>();
    upstream.handle(async (_request, response) => {
      await mayAnswer;
      stream(response, 'data: late\n\n');
    });
    const asked = upstream.nextRequest();
    const response = listen(name);
    await asked;
    await dataPlane.withdraw(ana.sub);
    answer(undefined);
    expect((await (await response).text()).length).toBeLessThanOrEqual('data: late\n\n'.length);
  });

  it('end once their server has another app', async () => {
    const name = await publish();
    const anas = await begun(listen(name));
    await dataPlane.publish({ name, upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'gitlab' } });
    expect(await anas.next()).toBeUndefined();
  });
});

describe('over a bridge', () => {
  const bridgeSessions = async (): Promise<number> => Number(/^gatehouse_bridge_sessions (\d+)/m.exec(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text())?.[1]);

  it('an HTTP+SSE caller’s stream ends with the connection, and its session with it', async () => {
    const anas = await begun(listen(await publish(), ana, 'sse'), 'event: endpoint');
    expect(await bridgeSessions()).toBe(1);
    await dataPlane.withdraw(`connection-1-of-${ana.sub}`);
    expect(await anas.next()).toBeUndefined();
    expect(await bridgeSessions()).toBe(0);
  });

  it('a session with an HTTP+SSE upstream ends with the connection, though nobody listens', async () => {
    upstream.handle(({ method, body }, response) => {
      if (method === 'GET') return stream(response, 'event: endpoint\ndata: /messages\n\n');
      response.writeHead(202).end();
      const { id } = JSON.parse(body.toString()) as { id?: number };
      streams[0]?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-03-26' } })}\n\n`);
    });
    const name = await publish({ upstream: { url: upstream.url, transport: 'sse' } });
    await (await ask(name, 'initialize', {})).text();
    expect(await bridgeSessions()).toBe(1);
    const closed = once(streams[0] as ServerResponse, 'close');
    await dataPlane.withdraw(`connection-1-of-${ana.sub}`);
    expect(await bridgeSessions()).toBe(0);
    await closed;
  });
});

describe('after an outage of the channel', () => {
  afterEach(() => void vi.useRealTimers());

  // A revocation is named for an hour and a bit: an outage may have been longer.
  it('streams on tokens of more than an hour ago end with the first change that arrives, others do not', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const memory = createMemoryChannel();
    let isAway = false;
    const unlessAway = <T>(act: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(new Error('connection is closed')) : act());
    const channel = { ...memory, readState: () => unlessAway(() => memory.readState()), readIndex: () => unlessAway(() => memory.readIndex()) };
    const lonely = await startPublicDataPlane({ ...broker.environment, GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' }, { key: randomBytes(32), channel });
    await lonely.publishAuthorizationServer(issuer);
    const name = await publish({}, lonely);
    const longLived = { exp: Math.floor(Date.now() / 1000) + 86_400 };
    const old = await begun(listen(name, { ...ana, ...longLived }, 'mcp', lonely));
    vi.setSystemTime(Date.now() + 3_601_000);
    const recent = await begun(listen(name, { ...ben, ...longLived }, 'mcp', lonely));
    isAway = true;
    await vi.waitFor(async () => expect(await (await fetch(`${lonely.internalUrl}/readyz`)).json()).toMatchObject({ degraded: true }), { timeout: 10_000 });
    isAway = false;
    await lonely.withdraw(randomUUID());
    expect(await old.next()).toBeUndefined();
    expect(await isOpen(recent, streams[1])).toBe(true);
    await lonely.close();
  });
});
