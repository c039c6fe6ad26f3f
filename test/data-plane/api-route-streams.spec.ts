import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';

/* Direct calls whose bodies, or answers, are long: neither is ever here as a whole, and nothing is left behind when somebody goes. */

const mebibyte = 1_048_576;
/** However busy the machine is. */
const soon = <T>(expectation: () => T): Promise<T> => vi.waitFor(expectation, { timeout: 15_000 });
let upstream: Server;
let origin: string;
let dataPlane: InProcessDataPlane;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

const server = (): SpecServer => ({ name: 'files', type: 'api', tools: { operations: [] }, upstream: { url: `${origin}/base` } });
const start = async (environment: Record<string, string> = {}): Promise<InProcessDataPlane> => {
  // One place: one that is not given back would stop the next test.
  const started = await startInProcessDataPlane({ GATEHOUSE_MAX_BODY_BYTES: '2000', GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1', GATEHOUSE_STREAMS_PER_ORIGIN: '1', GATEHOUSE_RESPONSE_TIMEOUT_MS: '5000', ...environment });
  await started.publish(server());
  return started;
};

beforeAll(async () => {
  upstream = createServer((request, response) => {
    request.on('error', () => undefined);
    answer(request, response);
  });
  origin = `http://127.0.0.1:${await listenOnLoopback(upstream)}`;
  dataPlane = await start();
});
afterAll(async () => {
  await dataPlane.close();
  await closeHttpServer(upstream);
});
beforeEach(() => void (answer = (request, response) => void text(request).then((body) => response.end(String(body.length)), () => undefined)));
afterEach(async () => {
  // Whatever happened, both places are free again.
  answer = (request, response) => void request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: free\n\n'));
  for (const accept of ['a/b', 'text/event-stream']) expect(await (await fetch(`${dataPlane.url}/api/default/files`, { headers: { accept } })).text()).toBe('data: free\n\n');
});

function open(method: string, headers: Record<string, string | number> = {}, at = dataPlane) {
  const outgoing = httpRequest(`${at.url}/api/default/files/x`, { method, headers });
  outgoing.on('error', () => undefined);
  const answered = once(outgoing, 'response').then(([response]) => (response as IncomingMessage).on('error', () => undefined));
  answered.catch(() => undefined);
  return { outgoing, answered };
}

it('an upload of any length arrives', async () => {
  const sizes: number[] = [];
  answer = (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => void (bytes += chunk.length)).on('end', () => {
      sizes.push(bytes);
      response.end('stored');
    });
  };
  for (const headers of [{}, { 'content-length': 16 * mebibyte }]) {
    const { outgoing, answered } = open('PUT', headers);
    for (let count = 0; count < 16; count += 1) outgoing.write(Buffer.alloc(mebibyte));
    outgoing.end();
    expect(await text(await answered)).toBe('stored');
  }
  expect(sizes).toEqual([16 * mebibyte, 16 * mebibyte]);
});

it('a caller that leaves in the middle of its upload leaves half of one at the upstream, and no connection', async () => {
  const broken = Promise.withResolvers<boolean>();
  answer = (request) => void request.resume().on('close', () => broken.resolve(request.complete));
  const { outgoing } = open('PUT');
  outgoing.write('half', () => outgoing.destroy());
  expect(await broken.promise).toBe(false);
  await soon(() => expect(dataPlane.log.join('')).toContain('"outcome":"caller_disconnected"'));
});

it('an upload that the upstream has seen enough of is over', async () => {
  answer = (_request, response) => void response.writeHead(409).end('there already');
  const { outgoing, answered } = open('PUT');
  outgoing.write('half');
  const response = await answered;
  expect([response.statusCode, await text(response)]).toEqual([409, 'there already']);
  outgoing.destroy();
});

it('a download arrives piece by piece, and ends for both when its caller leaves', async () => {
  const streams: ServerResponse[] = [];
  answer = (_request, response) => void streams.push(response.writeHead(200, { 'content-type': 'text/csv' }));
  const { outgoing, answered } = open('GET');
  outgoing.end();
  await soon(() => expect(streams).toHaveLength(1));
  streams[0]?.write('a,b\n');
  const response = await answered;
  expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe('a,b\n');
  streams[0]?.write('c,d\n');
  expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe('c,d\n');
  const closed = once(streams[0] as ServerResponse, 'close');
  response.destroy();
  await closed;
});

it('one that breaks off is not whole for its caller either', async () => {
  answer = (_request, response) => void response.writeHead(200).write('half', () => response.destroy());
  const { outgoing, answered } = open('GET');
  outgoing.end();
  const response = await answered;
  await expect(text(response)).rejects.toThrow();
});

it('trailers stay where they are, on both sides', async () => {
  const trailers: unknown[] = [];
  answer = (request, response) =>
    void request.resume().on('end', () => {
      trailers.push(request.trailers, request.headers.trailer);
      response.writeHead(200, { trailer: 'x-sum' }).write('body');
      response.addTrailers({ 'x-sum': 'secret' });
      response.end();
    });
  const { outgoing, answered } = open('PUT', { trailer: 'x-forged' });
  outgoing.write('x');
  outgoing.addTrailers({ 'x-forged': 'yes' });
  outgoing.end();
  const response = await answered;
  expect(await text(response)).toBe('body');
  expect([trailers, response.trailers, response.headers.trailer]).toEqual([[{}, undefined], {}, undefined]);
});

describe('events', () => {
  it('arrive as they come, and are no call that others wait for', async () => {
    const streams: ServerResponse[] = [];
    answer = (request, response) => (request.headers.accept === 'text/event-stream' ? void streams.push(response.writeHead(200, { 'content-type': 'text/event-stream' })) : void response.end('other'));
    const { outgoing, answered } = open('GET', { accept: 'text/event-stream' });
    outgoing.end();
    await soon(() => expect(streams).toHaveLength(1));
    streams[0]?.write('data: first\n\n');
    const response = await answered;
    expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe('data: first\n\n');
    // The one place of calls is free.
    expect(await (await fetch(`${dataPlane.url}/api/default/files`)).text()).toBe('other');
    const closed = once(streams[0] as ServerResponse, 'close');
    response.destroy();
    await closed;
  });

  it('end when their server goes', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    const { outgoing, answered } = open('GET', { accept: 'text/event-stream' });
    outgoing.end();
    const all = text(await answered);
    await dataPlane.remove('files');
    expect(await all).toBe('data: first\n\n');
    await dataPlane.publish(server());
  });
});

it('a data plane that goes lets downloads end, and ends who only listens', async () => {
  const going = await start();
  const streams: ServerResponse[] = [];
  answer = (request, response) => void streams.push(response.writeHead(200, { 'content-type': request.headers.accept }));
  const [download, listener] = [open('GET', { accept: 'text/csv' }, going), open('GET', { accept: 'text/event-stream' }, going)];
  download.outgoing.end();
  listener.outgoing.end();
  await soon(() => expect(streams).toHaveLength(2));
  for (const stream of streams) stream.write('first\n\n');
  const [file, events] = [text(await download.answered), text(await listener.answered)];
  const closed = going.close();
  expect(await events).toBe('first\n\n');
  for (const stream of streams) stream.end('last');
  expect(await file).toBe('first\n\nlast');
  await closed;
});
