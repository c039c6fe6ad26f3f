import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { answerAsPets, petsOperations } from '../support/pets-api.ts';
import { type RawAnswer, sendRaw, textIn } from '../support/raw-mcp.ts';
import { type RecordingHandler, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Whatever an API answers, the caller of its tool gets a result or an error that says what happened, and nothing is held for longer. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  // One connection: one that is not given back would stop the next test.
  dataPlane = await startInProcessDataPlane({ GATEHOUSE_CONNECTIONS_PER_ORIGIN: '1', GATEHOUSE_RESPONSE_TIMEOUT_MS: '2000', GATEHOUSE_CIRCUIT_BREAKER_FAILURES: '0' });
  await dataPlane.publish(
    { name: 'pets', type: 'api', upstream: { url: upstream.origin }, tools: { operations: petsOperations } },
    { name: 'hasty', type: 'api', upstream: { url: upstream.origin, timeouts: { streamIdleSeconds: 0.3, responseSeconds: 0.3 } }, tools: { operations: petsOperations } },
    { name: 'away', type: 'api', upstream: { url: 'http://127.0.0.1:1/' }, tools: { operations: petsOperations } },
    { name: 'inside', type: 'api', upstream: { url: 'http://169.254.169.254/latest' }, tools: { operations: petsOperations } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.requests.length = 0;
});

const call = (server = 'pets', signal?: AbortSignal): Promise<RawAnswer> =>
  sendRaw(`${dataPlane.url}/mcp/default/${server}`, 'tools/call', { name: 'listPets', arguments: {} }, signal && { signal });
const codeOf = ({ message }: RawAnswer): unknown => message.error?.data?.['code'];
const answer = (headers: Record<string, string>, body: string | Buffer, status = 200): RecordingHandler => (_request, response) => void response.writeHead(status, headers).end(body);
const json = { 'content-type': 'application/json' };
const rows = `[${Array.from({ length: 40_000 }, (_, index) => `{"id":"${index}","name":"${'x'.repeat(20)}"}`).join(',')}]`;

async function works(): Promise<void> {
  upstream.handle(answerAsPets);
  expect(textIn(await call())).toBe('[{"id":"1","name":"Rex"}]');
}

describe('an answer', () => {
  it.each<[string, RecordingHandler, RegExp]>([
    ['of more than a result holds is cut', answer(json, rows), /^\[{"id":"0"[^]*… \(cut: the answer is longer\)$/],
    ['without an end is cut', (_request, response) => void endless(response), /… \(cut: the answer is longer\)$/],
    ['of an error is cut sooner', answer({ 'content-type': 'text/plain' }, 'x'.repeat(100_000), 500), /^HTTP 500 Internal Server Error\nx{16384}\n…/],
    ['compressed though nobody asked', answer({ ...json, 'content-encoding': 'gzip' }, gzipSync('[1]')), /^\[1\]$/],
    ['compressed otherwise', answer({ ...json, 'content-encoding': 'BR' }, brotliCompressSync('[2]')), /^\[2\]$/],
    ['compressed, and long', answer({ ...json, 'content-encoding': 'gzip' }, gzipSync(rows)), /… \(cut: the answer is longer\)$/],
    ['compressed to a bomb', answer({ ...json, 'content-encoding': 'gzip' }, gzipSync('x'.repeat(20_000_000))), /^x{1048576}\n?… \(cut: the answer is longer\)$/],
    ['compressed, and longer than anything that is read', answer({ ...json, 'content-encoding': 'gzip' }, gzipSync(randomBytes(6_000_000).toString('base64'), { level: 1 })), /… \(cut: the answer is longer\)$/],
    ['without a body', answer({}, '', 204), /^HTTP 204 No Content$/],
    ['of another status', answer({}, '', 418), /^HTTP 418/],
  ])('%s', async (_what, handler, expected) => {
    upstream.handle(handler);
    expect(textIn(await call())).toMatch(expected);
    await works();
  });

  it.each<[string, RecordingHandler, [number, string]]>([
    ['compressed in a way that nobody knows', answer({ ...json, 'content-encoding': 'x' }, 'x'), [502, 'upstream_failed']],
    ['that is not what it says', answer({ ...json, 'content-encoding': 'gzip' }, 'x'), [502, 'upstream_failed']],
    ['that breaks off', (_request, response) => void response.writeHead(200, { ...json, 'content-length': '100' }).write('[', () => response.destroy()), [502, 'upstream_failed']],
    ['that never comes', (_request, response) => void response.destroy(), [502, 'upstream_failed']],
  ])('%s', async (_what, handler, expected) => {
    upstream.handle(handler);
    const refused = await call();
    expect([refused.status, codeOf(refused)]).toEqual(expected);
    await works();
  });

  it.each<[string, RecordingHandler]>([
    ['that is too long in coming', () => undefined],
    ['that stops in the middle', (_request, response) => void response.writeHead(200, json).write('[')],
    ['that comes a byte at a time', (_request, response) => void trickle(response)],
  ])('%s', async (_what, handler) => {
    upstream.handle(handler);
    const refused = await call('hasty');
    expect([refused.status, codeOf(refused)]).toEqual([504, 'upstream_timeout']);
    await works();
  });

  it('of nobody', async () => {
    expect(codeOf(await call('away'))).toBe('upstream_unreachable');
    expect(codeOf(await call('inside'))).toBe('upstream_address_refused');
  });
});

describe('a caller that goes away ends the exchange', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['before the answer', () => undefined],
    ['in the middle of it', (response) => void response.writeHead(200, json).write('[')],
  ])('%s', async (_what, begin) => {
    const closed = Promise.withResolvers<void>();
    const leave = new AbortController();
    upstream.handle((_request, response) => {
      void once(response, 'close').then(() => closed.resolve());
      begin(response);
      setImmediate(() => leave.abort());
    });
    await expect(call('pets', leave.signal)).rejects.toThrow();
    await closed.promise;
    await works();
  });
});

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  const write = (): void => void (response.destroyed || (response.write('x'.repeat(65_536)) ? setImmediate(write) : response.once('drain', write)));
  write();
}

function trickle(response: ServerResponse): void {
  response.writeHead(200, json);
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
}
