import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { getHeapSnapshot } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';

/* P6: nothing of a request's headers is kept beyond the request. A bridge's session lives long; its memory is searched. */

let outside: Worker;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  outside = new Worker(new URL('../support/marked-sessions.ts', import.meta.url));
  const [port] = (await once(outside, 'message')) as [number];
  dataPlane = await startInProcessDataPlane();
  const origin = `http://127.0.0.1:${port}`;
  const appAuth = { type: 'passthrough' } as const;
  await dataPlane.publish({ name: 'streamable', upstream: { url: `${origin}/mcp` }, appAuth }, { name: 'sse', upstream: { url: `${origin}/sse`, transport: 'sse' }, appAuth });
});
afterAll(async () => {
  await outside.terminate();
  await dataPlane.close();
});

async function take(step: string, path: string): Promise<void> {
  outside.postMessage([step, dataPlane.url + path]);
  await once(outside, 'message');
}

/** Of which requests there are marks in the memory of this thread, as far as it is reachable. */
async function remembered(): Promise<string[]> {
  const heap = await buffer(getHeapSnapshot());
  return ['listening', 'message'].filter((purpose) => isIn(heap, purpose));
}

function isIn(heap: Buffer, purpose: string): boolean {
  // What is searched for is in memory as well, without the digits that follow it in a mark.
  const needle = `canary-${purpose}-`;
  for (let at = heap.indexOf(needle); at !== -1; at = heap.indexOf(needle, at + 1)) {
    if (/[0-9a-f]/.test(heap.toString('latin1', at + needle.length, at + needle.length + 1))) return true;
  }
  return false;
}

// Nothing else happens while a snapshot is made, which takes a while: between two of them, what is over has its turn to be closed.
const expectRemembered = (...expected: string[]): Promise<void> => vi.waitFor(async () => expect(await remembered()).toEqual(expected), { timeout: 60_000, interval: 200 });

it('of an HTTP+SSE caller the request that is open is remembered as long as it is, and none of its messages', async () => {
  await take('open', '/sse/default/streamable');
  await expectRemembered('listening');
  await take('leave', '');
  await expectRemembered();
}, 150_000);

it('of a Streamable HTTP caller what opened the upstream’s stream is remembered as long as that is open, and none of its other messages', async () => {
  await take('initialize', '/mcp/default/sse');
  await take('call', '/mcp/default/sse');
  await expectRemembered('listening');
  await take('end', '/mcp/default/sse');
  await expectRemembered();
}, 150_000);
