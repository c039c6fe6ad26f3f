import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ana, ben, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* A stream is open for hours, and nobody asks its caller for a credential again: what is withdrawn has to reach it. */

let upstream: RecordingUpstream;
let issuer: TokenIssuer;
let dataPlane: InProcessDataPlane;
/** What the upstream has open, the newest last. */
let streams: ServerResponse[];
/** Settled when the stream of that place is closed. */
let closed: Promise<unknown>[];

beforeAll(async () => {
  [upstream, issuer, dataPlane] = await Promise.all([startRecordingUpstream(), startTokenIssuer(), startPublicDataPlane()]);
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close()]);
});
beforeEach(async () => {
  [streams, closed] = [[], []];
  upstream.handle((_request, response) => {
    streams.push(response);
    closed.push(once(response, 'close'));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
  });
  await dataPlane.publishAuthorizationServer(issuer);
  await publish();
});

const publish = (more: Partial<SpecServer> = {}): Promise<void> => dataPlane.publish({ name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, ...more });
const urlOf = (server = 'orders', form = 'mcp'): string => `${dataPlane.url}/${form}/default/${server}`;
const tokenOf = async (person: object, server = 'orders'): Promise<string> => `Bearer ${await signAccessToken(issuer, urlOf(server), { ...person })}`;
const listen = (authorization: string, url = urlOf()): Promise<Response> => fetch(url, { headers: { accept: 'text/event-stream', authorization } });
const ask = (authorization: string, server = 'orders'): Promise<Response> =>
  fetch(urlOf(server), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } }),
  });

interface Stream {
  /** The next event, or undefined where the stream has ended in order. */
  next(): Promise<string | undefined>;
}

async function begun(response: Promise<Response>): Promise<Stream> {
  const reader = (await response).body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string | undefined> => (await reader?.read())?.value;
  expect(await next()).toContain('first');
  return { next };
}

/** Whether it is open: something the upstream says now arrives. */
async function isOpen(stream: Stream, from: ServerResponse | undefined): Promise<boolean> {
  from?.write('data: more\n\n');
  return (await stream.next()) === 'data: more\n\n';
}

describe('of a person', () => {
  it('streams end with their grant, and only those', async () => {
    const anas = await begun(listen(await tokenOf(ana)));
    const asking = await begun(ask(await tokenOf(ana)));
    const again = await begun(listen(await tokenOf({ ...ana, grant: 'another-login' })));
    const bens = await begun(listen(await tokenOf(ben)));
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect([await anas.next(), await asking.next()]).toEqual([undefined, undefined]);
    expect([await isOpen(again, streams[2]), await isOpen(bens, streams[3])]).toEqual([true, true]);
    // And the upstream is not left talking to nobody.
    await Promise.all(closed.slice(0, 2));
  });

  it('an answer that begins after its grant was revoked ends as it begins', async () => {
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<undefined>();
    upstream.handle(async (_request, response) => {
      await mayAnswer;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: late\n\n');
    });
    const asked = upstream.nextRequest();
    const response = ask(await tokenOf(ana));
    await asked;
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    answer(undefined);
    expect((await (await response).text()).length).toBeLessThanOrEqual('data: late\n\n'.length);
  });

  it('streams end where access rules leave the person out, and go on where they do not', async () => {
    const [anas, bens] = [await begun(listen(await tokenOf(ana))), await begun(listen(await tokenOf(ben)))];
    await publish({ access: { allow: [{ group: 'support' }] } });
    expect(await anas.next()).toBeUndefined();
    expect(await isOpen(bens, streams[1])).toBe(true);
  });

  it('streams end where the server wants more than it did', async () => {
    const stream = await begun(listen(await tokenOf(ana)));
    await publish({ agentAuth: { type: 'interactive', scopes: ['orders'] } });
    expect(await stream.next()).toBeUndefined();
  });
});

describe('of a service account', () => {
  const server = { name: 'builds', agentAuth: { type: 'api-key' } } as const;

  it('streams end with the account', async () => {
    await dataPlane.publish({ ...server, upstream: { url: upstream.url } });
    const [ci, cd] = [await dataPlane.addServiceAccount('ci'), await dataPlane.addServiceAccount('cd')];
    const [first, second] = [await begun(listen(`Bearer ${ci}`, urlOf('builds'))), await begun(listen(`Bearer ${cd}`, urlOf('builds')))];
    await dataPlane.remove('account-ci');
    expect(await first.next()).toBeUndefined();
    // A new key: the old one stops at once.
    await dataPlane.addServiceAccount('cd');
    expect(await second.next()).toBeUndefined();
  });
});

describe('of anyone', () => {
  const open = (more: Partial<SpecServer> = {}): Promise<void> => publish({ name: 'open', agentAuth: { type: 'passthrough' }, ...more });

  it.each<[string, () => Promise<void>]>([
    ['its server is disabled', () => open({ enabled: false })],
    ['its server is removed', () => dataPlane.remove('open')],
    ['its server wants to know who calls', () => open({ agentAuth: { type: 'api-key' } })],
    ['its server hides tools', () => open({ access: { tools: { deny: ['delete_*'] } } })],
    ['its server is another upstream', () => open({ upstream: { url: `${upstream.url}/2` } })],
  ])('a stream ends once %s', async (_, change) => {
    await open();
    const stream = await begun(listen('', urlOf('open')));
    await change();
    expect(await stream.next()).toBeUndefined();
  });

  it('a stream stays open when something else changes', async () => {
    await open();
    const stream = await begun(listen('', urlOf('open')));
    await open({ title: 'Orders', appAuth: { type: 'bearer', token: 'new' } });
    await publish({ enabled: false });
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect(await isOpen(stream, streams[0])).toBe(true);
  });
});

describe('over a bridge', () => {
  const bridgeSessions = async (): Promise<number> => Number(/^gatehouse_bridge_sessions (\d+)/m.exec(await (await fetch(`${dataPlane.internalUrl}/metrics`)).text())?.[1]);

  it('an HTTP+SSE caller’s stream ends with its grant, and its session with it', async () => {
    const response = await listen(await tokenOf(ana), urlOf('orders', 'sse'));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('event: endpoint');
    expect(await bridgeSessions()).toBe(1);
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect((await reader?.read())?.done).toBe(true);
    expect(await bridgeSessions()).toBe(0);
  });

  it('a session with an HTTP+SSE upstream ends with its grant, though nobody listens', async () => {
    upstream.handle(({ method, body }, response) => {
      if (method === 'GET') {
        streams.push(response);
        return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: /messages\n\n');
      }
      response.writeHead(202).end();
      const { id } = JSON.parse(body.toString()) as { id?: number };
      streams[0]?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-03-26' } })}\n\n`);
    });
    await dataPlane.publish({ name: 'legacy', upstream: { url: upstream.url, transport: 'sse' }, agentAuth: { type: 'interactive' } });
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} };
    const authorization = await tokenOf(ana, 'legacy');
    await (await fetch(urlOf('legacy'), { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body: JSON.stringify(initialize) })).text();
    expect(await bridgeSessions()).toBe(1);
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect(await bridgeSessions()).toBe(0);
  });
});

describe('after an outage of the channel', () => {
  afterEach(() => void vi.useRealTimers());

  // A grant is named as revoked for as long as its tokens live: an outage may have been longer.
  it('streams whose token has expired end with the first change that arrives, others do not', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const memory = createMemoryChannel();
    let isAway = false;
    const unlessAway = <T>(act: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(new Error('connection is closed')) : act());
    const channel = { ...memory, readState: () => unlessAway(() => memory.readState()), readIndex: () => unlessAway(() => memory.readIndex()) };
    const lonely = await startPublicDataPlane({ GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1' }, { key: randomBytes(32), channel });
    await lonely.publishAuthorizationServer(issuer);
    await lonely.publish({ name: 'orders', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' } });
    const url = `${lonely.url}/mcp/default/orders`;
    const tokenUntil = async (seconds: number): Promise<string> => `Bearer ${await signAccessToken(issuer, url, { exp: Math.floor(Date.now() / 1000) + seconds })}`;
    const [short, long] = [await begun(listen(await tokenUntil(300), url)), await begun(listen(await tokenUntil(3_600), url))];

    vi.setSystemTime(Date.now() + 600_000);
    await lonely.publish({ name: 'other', upstream: { url: upstream.url } });
    expect([await isOpen(short, streams[0]), await isOpen(long, streams[1])]).toEqual([true, true]);
    isAway = true;
    await vi.waitFor(async () => expect(await (await fetch(`${lonely.internalUrl}/readyz`)).json()).toMatchObject({ degraded: true }), { timeout: 10_000 });
    isAway = false;
    await lonely.publishAuthorizationServer(issuer, ['someone-else']);
    expect(await short.next()).toBeUndefined();
    expect(await isOpen(long, streams[1])).toBe(true);
    await lonely.close();
  });
});
