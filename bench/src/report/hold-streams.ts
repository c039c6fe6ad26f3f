import { Agent, type ClientRequest, request } from 'node:http';
import { parseArgs } from 'node:util';

/*
 * Opens streams that only listen, reads whatever comes, and says once a second how many are open: a process of its own, since
 * each of them is a socket. The credential is in BENCH_AUTHORIZATION. A line of JSON is written for each second, and at the end.
 */

const { values, positionals } = parseArgs({ options: { count: { type: 'string', default: '1' } }, allowPositionals: true });
const [url = ''] = positionals;
const count = Number(values.count);
/** As many are on their way at once. */
const atOnce = 200;
const headers = { accept: 'text/event-stream', 'mcp-protocol-version': '2025-11-25', authorization: process.env['BENCH_AUTHORIZATION'] ?? '' };
const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

const seen = { open: 0, failed: 0, closed: 0, commented: 0 };
const say = (): void => console.log(JSON.stringify(seen));

function openStream(): Promise<void> {
  return new Promise((settled) => {
    const stream: ClientRequest = request(url, { agent, headers });
    let isOpen = false;
    let isCommented = false;
    const end = (): void => {
      if (isOpen) {
        seen.open -= 1;
        seen.closed += 1;
      } else seen.failed += 1;
      settled();
    };
    stream.on('response', (response) => {
      if (response.statusCode !== 200) return void stream.destroy();
      isOpen = true;
      seen.open += 1;
      settled();
      response.on('data', () => {
        if (!isCommented) seen.commented += 1;
        isCommented = true;
      });
      response.on('error', () => undefined);
    });
    stream.on('error', () => undefined);
    stream.on('close', end);
    stream.end();
  });
}

setInterval(say, 1_000).unref();
process.on('SIGTERM', () => process.exit(0));
let left = count;
await Promise.all(Array.from({ length: Math.min(atOnce, count) }, async () => {
  while (left > 0) {
    left -= 1;
    await openStream();
  }
}));
say();
// Stays until it is told to go.
setInterval(() => undefined, 60_000);
