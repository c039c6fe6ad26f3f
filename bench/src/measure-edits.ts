import type { BenchSecrets } from './bench-secrets.ts';
import { callGateway } from './call-gateway.ts';
import type { RunningGateway } from './gateway.ts';
import { type Publisher, serverDocument } from './publish-configuration.ts';
import { quantile } from './statistics.ts';
import { echoPath, type Upstream } from './upstream.ts';

export interface EditTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export const serverName = (index: number | ''): string => `server-${index}`;

/**
 * Edits one server after the other: its upstream's path gets a new value, and the clock runs from before the publication until
 * a call is answered from there.
 */
export async function measureEdits(gateway: RunningGateway, publisher: Publisher, upstream: Upstream, secrets: BenchSecrets, serverCount: number, edits: number): Promise<EditTimes> {
  const times: number[] = [];
  for (let edit = 0; edit < edits; edit += 1) {
    // Spread over all of them, in no order that the gateway could be good at.
    const name = serverName((edit * 7919 + 13) % serverCount);
    const path = `${echoPath}${name}/edit-${edit}`;
    const startedAt = performance.now();
    await publisher.change(serverDocument(name, upstream.origin + path, secrets));
    await untilServed(`${gateway.origin}/mcp/default/${name}`, secrets.authorization, path);
    times.push(performance.now() - startedAt);
  }
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), maxMs: Math.max(...times) };
}

async function untilServed(url: string, authorization: string, path: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { status, body } = await callGateway(url, authorization);
    if (status !== 200) throw new Error(`${url} answered ${status} ${body} while it was edited`);
    if (body.includes(`"${path}"`)) return;
    if (performance.now() > deadline) throw new Error(`the edit of ${url} was not served within 30 seconds`);
  }
}
