import type { ServerResponse } from 'node:http';
import { EventStreamReader } from '@gatehouse/mcp-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ana, signAccessToken } from '../support/access-token.ts';
import { findCanaries, makeCanary } from '../support/canary.ts';
import { type InProcessDataPlane, type SpecServer, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { headerPairs, headerValue, type RecordedRequest, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/*
 * For an HTTP+SSE caller of a Streamable HTTP upstream the gateway sends requests of itself: it listens, takes a stream up again,
 * says that the session is over. None of them may repeat what an earlier request carried.
 */

type Pairs = [name: string, value: string][];

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
/** The upstream's answers that are streams, the newest last. */
let streams: ServerResponse[];
/** In every message of the caller's, in no header of its listening request. */
let messageMarks: string[];
/** What messages authenticate with, where the server wants to know who calls. */
let messageToken: string | undefined;
let tenant: string;
let token: string;

beforeEach(async () => {
  // Before the data plane starts: it takes its clock from there.
  vi.useFakeTimers({ toFake: ['Date'] });
  [upstream, dataPlane] = await Promise.all([startRecordingUpstream(), startPublicDataPlane()]);
  [streams, messageMarks, messageToken] = [[], [], undefined];
  [tenant, token] = [makeCanary('tenant'), `Bearer ${makeCanary('token')}`];
  upstream.handle(answer);
});
afterEach(async () => {
  await dataPlane.close();
  await upstream.close();
  vi.useRealTimers();
});

/** `slow` is answered by a stream that says something first. */
function answer({ method, body }: RecordedRequest, response: ServerResponse): void {
  const { id, method: asked } = (body.length > 0 ? JSON.parse(body.toString()) : {}) as { id?: number; method?: string };
  if (method === 'GET' || asked === 'slow') {
    streams.push(response);
    return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: event-1\ndata: {"jsonrpc":"2.0","method":"notifications/a"}\n\n');
  }
  if (id === undefined) return void response.writeHead(method === 'DELETE' ? 200 : 202).end();
  response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'upstream-session-1' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18' } }));
}

interface OpenStream {
  next(): Promise<{ id?: number; method?: string } | undefined>;
  post(message: object): Promise<Response>;
  close(): void;
}

const listening = (): Record<string, string> => ({ authorization: token, 'X-Tenant': tenant, 'Accept-Language': 'de' });

async function listen(headers: Record<string, string> = listening()): Promise<OpenStream> {
  const caller = new AbortController();
  const response = await fetch(`${dataPlane.url}/sse/default/orders`, { headers: { accept: 'text/event-stream', ...headers }, signal: caller.signal });
  const events = eventsOf(response);
  const endpoint = new URL((await events.next()).value ?? '', dataPlane.url);
  const next = async (): Promise<{ id?: number; method?: string } | undefined> => {
    const { value } = await events.next();
    return value === undefined ? undefined : (JSON.parse(value) as { id?: number; method?: string });
  };
  const post = (message: object): Promise<Response> => {
    const mark = makeCanary('message');
    messageMarks.push(mark);
    const marked = { 'content-type': 'application/json', authorization: messageToken ?? `Bearer ${mark}`, 'X-Tenant': mark, 'Accept-Language': mark, baggage: `mark=${mark}` };
    return fetch(endpoint, { method: 'POST', headers: marked, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  };
  return { next, post, close: () => caller.abort() };
}

async function* eventsOf(response: Response): AsyncGenerator<string, void> {
  const reader = new EventStreamReader(1_000_000);
  for await (const chunk of response.body ?? []) for (const { data } of reader.push(chunk as Uint8Array)) yield data;
}

/** A session whose upstream is listened to. */
async function opened(headers?: Record<string, string>): Promise<OpenStream> {
  const stream = await listen(headers);
  await stream.post({ id: 0, method: 'initialize', params: {} });
  expect(await stream.next()).toMatchObject({ id: 0, result: {} });
  const asked = nextOf('GET');
  await stream.post({ method: 'notifications/initialized' });
  await asked;
  expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
  return stream;
}

const publish = (more: Partial<SpecServer>): Promise<void> => dataPlane.publish({ name: 'orders', upstream: { url: upstream.url }, ...more });
const nextOf = async (method: string): Promise<RecordedRequest> => {
  for (;;) {
    const request = await upstream.nextRequest();
    if (request.method === method) return request;
  }
};
const all = (method: string): RecordedRequest[] => upstream.requests.filter((request) => request.method === method);
/** The head of the only request of this method so far. */
const headOf = (method: string): Pairs => {
  expect(all(method)).toHaveLength(1);
  return headerPairs(all(method)[0] as RecordedRequest);
};

/** A request of the gateway's own, to the last byte of its head. */
const own = (method: 'GET' | 'DELETE', ...others: Pairs): unknown => [
  ['host', `127.0.0.1:${upstream.port}`],
  ['connection', 'keep-alive'],
  ['user-agent', expect.stringMatching(/^gatehouse\/\S+$/)],
  ...(method === 'GET' ? [['accept', 'text/event-stream']] : []),
  ['mcp-protocol-version', '2025-06-18'],
  ['mcp-session-id', 'upstream-session-1'],
  ...others,
];
const lastEvent: [string, string] = ['last-event-id', 'event-1'];
const bearer = (value: string): [string, string] => ['Authorization', `Bearer ${value}`];

const passthrough = { appAuth: { type: 'passthrough' } } as const satisfies Partial<SpecServer>;
const stored = (value: string): Partial<SpecServer> => ({ appAuth: { type: 'bearer', token: value }, headerPolicy: { mode: 'list', list: ['X-Tenant'] } });
const caller = (): Pairs => [['X-Tenant', tenant], ['Accept-Language', 'de'], ['authorization', token]];

interface Change {
  readonly before: Partial<SpecServer>;
  /** What the first GET carries. */
  readonly first: () => Pairs;
  readonly change: () => Promise<void>;
  /** What the next GET carries. */
  readonly then: () => Pairs;
  readonly farewell: Pairs;
}

const changes: Record<string, Change> = {
  'pass-through is switched off': { before: passthrough, first: caller, change: () => dataPlane.publishHeaderPolicy({ enabled: false }), then: () => [], farewell: [] },
  'a global pattern restricts a header': {
    before: passthrough,
    first: caller,
    change: () => dataPlane.publishHeaderPolicy({ restricted: ['x-ten*'] }),
    then: () => caller().filter(([name]) => name !== 'X-Tenant'),
    farewell: [],
  },
  'the server’s policy is another': {
    before: passthrough,
    first: caller,
    change: () => publish({ ...passthrough, headerPolicy: { mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'X-Org' }] } }),
    then: () => [['X-Org', tenant]],
    farewell: [],
  },
  'a stored credential takes the place of the caller’s': { before: passthrough, first: caller, change: () => publish(stored('new')), then: () => [['X-Tenant', tenant], bearer('new')], farewell: [bearer('new')] },
  'the caller’s takes the place of a stored one': { before: stored('old'), first: () => [['X-Tenant', tenant], bearer('old')], change: () => publish(passthrough), then: caller, farewell: [] },
  'a stored credential is replaced': {
    before: stored('old'),
    first: () => [['X-Tenant', tenant], bearer('old')],
    change: () => publish(stored('new')),
    then: () => [['X-Tenant', tenant], bearer('new')],
    farewell: [bearer('new')],
  },
  'an outbound header is added': {
    before: {},
    first: () => [],
    change: () => publish({ outboundHeaders: [{ name: 'X-Service', source: { type: 'static', value: 'key' } }] }),
    then: () => [['X-Service', 'key']],
    farewell: [['X-Service', 'key']],
  },
};

describe('what the gateway sends of itself after', () => {
  it.each(Object.entries(changes))('%s', async (_, { before, first, change, then, farewell }) => {
    await publish(before);
    const stream = await opened();
    expect(headOf('GET')).toEqual(own('GET', ...first()));

    await change();
    upstream.requests.length = 0;
    const again = nextOf('GET');
    streams[0]?.end();
    await again;
    expect(headOf('GET')).toEqual(own('GET', lastEvent, ...then()));

    const ended = nextOf('DELETE');
    stream.close();
    await ended;
    expect(headOf('DELETE')).toEqual(own('DELETE', ...farewell));
    expectNothingOf(messageMarks);
  });

  it('an answer broke off', async () => {
    await publish(passthrough);
    const stream = await opened();
    upstream.requests.length = 0;
    const resumed = nextOf('GET');
    await stream.post({ id: 1, method: 'slow' });
    expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
    await dataPlane.publishHeaderPolicy({ enabled: false });
    streams.at(-1)?.end();
    await resumed;
    expect(headOf('GET')).toEqual(own('GET', lastEvent));
    streams.at(-1)?.end('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
    expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
    expect(await stream.next()).toMatchObject({ id: 1, result: {} });
    stream.close();
  });

  it('a caller listened without what its messages carry', async () => {
    await publish(passthrough);
    const stream = await opened({ 'Accept-Language': 'de' });
    expect(headOf('GET')).toEqual(own('GET', ['Accept-Language', 'de']));
    stream.close();
  });
});

/** In no request but the messages themselves. */
function expectNothingOf(marks: string[]): void {
  const others = upstream.requests.filter(({ method }) => method !== 'POST').map(({ rawHeaders, body }) => `${rawHeaders.join('\n')}\n${body.toString()}`);
  expect(others).not.toEqual([]);
  expect(findCanaries(others.join('\n'), marks)).toEqual([]);
}

describe('nothing is sent any more once', () => {
  it.each<[string, () => Promise<void>]>([
    ['the server is gone', () => dataPlane.remove('orders')],
    ['the server is disabled', () => publish({ ...stored('new'), enabled: false })],
    // The new credential is the new upstream's.
    ['the server is another upstream', () => publish({ ...stored('new'), upstream: { url: `${upstream.origin}/moved` } })],
    ['the server is another transport', () => publish({ ...stored('new'), upstream: { url: upstream.url, transport: 'sse' } })],
  ])('%s: the session is over', async (_, change) => {
    await publish(stored('old'));
    const stream = await opened();
    const before = upstream.requests.length;
    await change();
    expect(await stream.next()).toBeUndefined();
    // It waits until upstreams have been told.
    await dataPlane.close();
    expect(upstream.requests.slice(before)).toEqual([]);
  });
});

it('a session whose caller may not call any more is ended at the upstream, with the gateway’s credential alone', async () => {
  await publish(stored('key'));
  const stream = await opened();
  await publish({ ...stored('key'), agentAuth: { type: 'api-key' } });
  expect(await stream.next()).toBeUndefined();
  await vi.waitFor(() => expect(all('DELETE')).toHaveLength(1));
  expect(headOf('DELETE')).toEqual(own('DELETE', bearer('key')));
  expect(headerValue(all('GET')[0] as RecordedRequest, 'X-Tenant')).toBe(tenant);
});

describe('for a person', () => {
  let issuer: TokenIssuer;

  beforeEach(async () => {
    issuer = await startTokenIssuer();
    await dataPlane.publishAuthorizationServer(issuer);
    await publish({ ...stored('key'), agentAuth: { type: 'interactive' } });
    token = messageToken = `Bearer ${await signAccessToken(issuer, `${dataPlane.url}/mcp/default/orders`)}`;
  });
  afterEach(() => issuer.close());

  // As a stream that is open goes on: what ends it is that the grant is withdrawn, or that this may have been missed.
  it('the gateway goes on listening after the access token has expired, without that token', async () => {
    const stream = await opened();
    vi.setSystemTime(Date.now() + 3_600_000);
    upstream.requests.length = 0;
    const again = nextOf('GET');
    streams[0]?.end();
    await again;
    expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
    expect(headOf('GET')).toEqual(own('GET', lastEvent, ['X-Tenant', tenant], bearer('key')));
    // A message of theirs is looked at anew.
    expect((await stream.post({ id: 1, method: 'tools/list' })).status).toBe(401);
    stream.close();
  });

  it('the gateway does not listen any more once their grant is revoked, and ends the session', async () => {
    const stream = await opened();
    upstream.requests.length = 0;
    await dataPlane.publishAuthorizationServer(issuer, [ana.grant]);
    expect(await stream.next()).toBeUndefined();
    await vi.waitFor(() => expect(all('DELETE')).toHaveLength(1));
    expect(headOf('DELETE')).toEqual(own('DELETE', bearer('key')));
    expect(all('GET')).toEqual([]);
  });
});

describe('for a caller with a token of another issuer', () => {
  let issuer: TokenIssuer;

  beforeEach(async () => {
    issuer = await startTokenIssuer();
    token = messageToken = `Bearer ${await issuer.sign({ sub: 'jo', exp: Math.floor(Date.now() / 1000) + 60 })}`;
  });
  afterEach(() => issuer.close());

  const validated = (more: Partial<SpecServer>): Partial<SpecServer> => ({ ...more, agentAuth: { type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } } });
  const raw = (): string => token.replace('Bearer ', '');

  it.each<[string, () => Partial<SpecServer>, () => Pairs, Pairs | undefined]>([
    ['beside a stored credential', () => ({
      appAuth: { type: 'bearer', token: 'key' },
      outboundHeaders: [{ name: 'X-Token', required: false, source: { type: 'caller-token' } }, { name: 'X-User', required: false, source: { type: 'caller-identity', claim: 'sub' } }],
    }), () => [bearer('key'), ['X-Token', raw()], ['X-User', 'jo']], [bearer('key')]],
    ['passed through', () => passthrough, caller, []],
    // Without a value of a header that is required, the upstream cannot be told.
    ['as what is sent of it', () => ({ outboundHeaders: [{ name: 'X-User', source: { type: 'caller-identity', claim: 'sub' } }] }), () => [['X-User', 'jo']], undefined],
  ])('the session ends when there is to be listened anew and it has expired, without it and what it said: %s', async (_name, more, first, farewell) => {
    await publish(validated(more()));
    const stream = await opened();
    expect(headOf('GET')).toEqual(own('GET', ...first()));
    vi.setSystemTime(Date.now() + 60_000);
    upstream.requests.length = 0;
    streams[0]?.end();
    expect(await stream.next()).toBeUndefined();
    // It waits until upstreams have been told.
    await dataPlane.close();
    expect(all('GET')).toEqual([]);
    if (farewell === undefined) expect(all('DELETE')).toEqual([]);
    else expect(headOf('DELETE')).toEqual(own('DELETE', ...farewell));
  });

  it('an answer that breaks off is not taken up again once it has expired: who asked is told, and the session ends', async () => {
    await publish(validated({ appAuth: { type: 'bearer', token: 'key' } }));
    const stream = await opened();
    await stream.post({ id: 1, method: 'slow' });
    expect(await stream.next()).toMatchObject({ method: 'notifications/a' });
    vi.setSystemTime(Date.now() + 60_000);
    upstream.requests.length = 0;
    streams.at(-1)?.end();
    expect(await stream.next()).toMatchObject({ id: 1, error: { data: { code: 'session_not_found' } } });
    expect(await stream.next()).toBeUndefined();
    expect(all('GET')).toEqual([]);
  });

  it('is obtained for with the token of the request that listens, and not with a message’s', async () => {
    await publish(validated({ outboundHeaders: [{ name: 'X-Token', source: { type: 'caller-token' } }] }));
    messageToken = `Bearer ${await issuer.sign({ sub: 'jo', exp: Math.floor(Date.now() / 1000) + 90 })}`;
    const stream = await opened();
    expect(headOf('GET')).toEqual(own('GET', ['X-Token', raw()]));
    stream.close();
  });
});
