import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRecordingUpstream, type RecordingUpstream } from './recording-upstream.ts';
import { startTcpProxy, type TcpFaults, type TcpProxy } from './tcp-proxy.ts';

let upstream: RecordingUpstream;
let proxy: TcpProxy;

beforeEach(async () => {
  upstream = await startRecordingUpstream({ handler: (request, response) => void response.end(request.body) });
  proxy = await startTcpProxy({ targetPort: upstream.port });
});

afterEach(async () => {
  await proxy.close();
  await upstream.close();
});

async function echo(body: string, signal?: AbortSignal): Promise<string> {
  const headers = { Connection: 'close' };
  const options = { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) };
  return (await fetch(`http://127.0.0.1:${proxy.port}`, options)).text();
}

it.each<Partial<TcpFaults>>([{}, { sliceBytes: 3 }, { latencyMs: 5 }, { bytesPerSecond: 100_000, sliceBytes: 50 }])(
  'carries everything with %o',
  async (faults) => {
    await proxy.set(faults);
    const body = 'x'.repeat(200);
    expect(await echo(body)).toBe(body);
  },
);

it.each([
  ['down', 'ECONNREFUSED'],
  ['reset', 'ECONNRESET'],
] as const)('fails with mode %s, and recovers', async (mode, code) => {
  await proxy.set({ mode });
  await expect(echo('x')).rejects.toMatchObject({ cause: { code } });
  await proxy.set({ mode: 'up' });
  expect(await echo('y')).toBe('y');
});

it('swallows everything with mode timeout', async () => {
  await proxy.set({ mode: 'timeout' });
  const patience = new AbortController();
  const call = echo('x', patience.signal);
  const outcome = expect(call).rejects.toMatchObject({ name: 'AbortError' });
  await expect.poll(() => proxy.accepted()).toBe(1);
  patience.abort();
  await outcome;
  expect(upstream.requests).toEqual([]);
});

it('drops open connections and takes new ones', async () => {
  upstream.handle(() => undefined);
  const call = echo('x');
  const outcome = expect(call).rejects.toThrow();
  await upstream.nextRequest();
  proxy.dropConnections();
  await outcome;
  upstream.handle((_request, response) => void response.end('back'));
  expect(await echo('x')).toBe('back');
});

it('silences open connections for good, and takes new ones', async () => {
  upstream.handle((request, response) => void response.writeHead(200).write(request.body));
  const response = await fetch(`http://127.0.0.1:${proxy.port}`, { method: 'POST', body: 'x' });
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('x');
  proxy.silenceConnections();
  upstream.handle((request, response) => void response.end(request.body));
  expect(await echo('y')).toBe('y');
  // Its end does not come through either.
  const ended = reader?.read().then(() => 'ended');
  await upstream.close();
  expect(await Promise.race([ended, new Promise(setImmediate).then(() => 'silent')])).toBe('silent');
  await reader?.cancel();
  upstream = await startRecordingUpstream();
});
