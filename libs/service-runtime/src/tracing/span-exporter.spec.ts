import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Registry } from 'prom-client';
import { afterEach, expect, it, vi } from 'vitest';
import { createLogger } from '../logger.ts';
import { readSettings } from '../settings.ts';
import { type OpenTracing, openTracing } from './open-tracing.ts';
import type { Tracer } from './tracer.ts';
import { tracingSettings } from './tracing-settings.ts';

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const closing of closings.splice(0).reverse()) await closing();
});

type Spans = { readonly name: string }[];

/** @param answer what the collector does with the n-th batch, from 0 on */
async function startCollector(answer: (response: ServerResponse, index: number) => void): Promise<{ url: string; batches: Spans[]; authorizations: (string | undefined)[] }> {
  const batches: Spans[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Spans }[] }[] };
      authorizations.push(request.headers.authorization);
      answer(response, batches.push(resourceSpans[0]?.scopeSpans[0]?.spans ?? []) - 1);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, batches, authorizations };
}

const take = (response: ServerResponse): void => void response.end('{}');
const patience = { timeout: 20_000, interval: 20 };

function open(url: string, more: Record<string, string> = {}): { tracing: OpenTracing; tracer: Tracer; log: string[]; counted: (name: string) => Promise<number> } {
  const registry = new Registry();
  const log: string[] = [];
  const settings = readSettings(tracingSettings, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_EXPORTER_OTLP_TIMEOUT: '100', ...more });
  const tracing = openTracing(settings, { role: 'spec', registry, logger: createLogger({ level: 'debug', role: 'spec', destination: { write: (line: string) => void log.push(line) } }) });
  closings.push(() => tracing.close());
  const counted = async (name: string): Promise<number> => Number(new RegExp(`^gatehouse_spans_${name.replaceAll(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(await registry.metrics())?.[1]);
  return { tracing, tracer: tracing.tracer ?? expect.unreachable('no tracer'), log, counted };
}

function end(tracer: Tracer, count: number): void {
  for (let index = 0; index < count; index += 1) tracer.enter(undefined, 'server', `span ${index}`).end(tracer.now());
}

it('without an endpoint there is no tracer, and nothing was lost', async () => {
  const registry = new Registry();
  const { tracer } = openTracing(readSettings(tracingSettings, {}), { role: 'spec', registry, logger: createLogger({ level: 'silent', role: 'spec' }) });
  expect(tracer).toBeUndefined();
  expect(await registry.metrics()).toContain('gatehouse_spans_dropped_total{reason="queue_full"} 0');
});

it('spans go in batches, in their order, with the headers that were set', async () => {
  const { url, batches, authorizations } = await startCollector(take);
  const { tracer, counted } = open(url, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-key' });
  end(tracer, 5);
  await vi.waitFor(async () => expect(await counted('exported_total')).toBe(5), patience);
  expect(batches.map((spans) => spans.map(({ name }) => name))).toEqual([['span 0', 'span 1'], ['span 2', 'span 3'], ['span 4']]);
  expect(new Set(authorizations)).toEqual(new Set(['Bearer collector-key']));
});

it('times are those of the clock on the wall, and text is well-formed, whatever it was', async () => {
  const { url, batches } = await startCollector(take);
  const { tracer } = open(url);
  const before = Date.now();
  const span = tracer.enter(undefined, 'client', 'half \ud83d "quoted"');
  span.set('ratio', 0.5);
  span.set('count', 3);
  span.set('unknown', undefined);
  span.fail('timeout');
  span.end(tracer.now());
  await vi.waitFor(() => expect(batches).toHaveLength(1), patience);
  const [written] = (batches[0] ?? []) as unknown as { name: string; startTimeUnixNano: string; attributes: unknown; status: unknown; kind: number }[];
  expect(written).toMatchObject({
    name: 'half \ufffd "quoted"', kind: 3, status: { code: 2 },
    attributes: [{ key: 'ratio', value: { doubleValue: 0.5 } }, { key: 'count', value: { intValue: '3' } }, { key: 'error.type', value: { stringValue: 'timeout' } }],
  });
  expect(Math.abs(Number(BigInt(written?.startTimeUnixNano ?? 0) / 1_000_000n) - before)).toBeLessThan(60_000);
});

it('of a collector that does not answer, a bounded number waits, and the others are counted', async () => {
  const { url } = await startCollector(() => undefined);
  const { tracer, counted, log } = open(url, { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4' });
  end(tracer, 100);
  // Ten at most wait, and four are under way.
  expect(await counted('dropped_total{reason="queue_full"}')).toBeGreaterThanOrEqual(86);
  await vi.waitFor(() => expect(log.filter((line) => line.includes('spans are not taken'))).toHaveLength(1), patience);
});

it('one that is not there loses what waits, which is counted, and said once', async () => {
  const { url } = await startCollector(take);
  await closings.pop()?.();
  const { tracing, tracer, counted, log } = open(url, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' });
  end(tracer, 3);
  await tracing.close();
  expect(await counted('dropped_total{reason="unreachable"}')).toBe(3);
  expect(log.filter((line) => line.includes('spans are not taken'))).toHaveLength(1);
});

it('what a busy collector did not take is sent again, what it refuses is not', async () => {
  const { url, batches } = await startCollector((response, index) => void response.writeHead([503, 200, 400][index] ?? 200).end('{}'));
  const { tracer, counted } = open(url);
  end(tracer, 1);
  await vi.waitFor(async () => expect(await counted('exported_total')).toBe(1), patience);
  end(tracer, 2);
  await vi.waitFor(async () => expect(await counted('dropped_total{reason="refused"}')).toBe(2), patience);
  expect(batches.map((spans) => spans.length)).toEqual([1, 1, 2]);
});

it('OTLP/HTTP: what a collector says it has rejected is counted', async () => {
  const { url } = await startCollector((response) => void response.end('{"partialSuccess":{"rejectedSpans":"2"}}'));
  const { tracer, counted } = open(url);
  end(tracer, 3);
  await vi.waitFor(async () => expect(await counted('exported_total')).toBe(1), patience);
  expect(await counted('dropped_total{reason="refused"}')).toBe(2);
});

it('what waits at the end is sent, and what comes after it is counted', async () => {
  const { url, batches } = await startCollector(take);
  const { tracing, tracer, counted } = open(url, { OTEL_BSP_SCHEDULE_DELAY: '600000', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' });
  end(tracer, 1);
  await tracing.close();
  expect(batches.flat()).toHaveLength(1);
  end(tracer, 1);
  expect(await counted('dropped_total{reason="shutdown"}')).toBe(1);
});

it('a collector that hangs keeps no process from its end', async () => {
  const { url } = await startCollector(() => undefined);
  const { tracing, tracer, counted } = open(url, { OTEL_EXPORTER_OTLP_TIMEOUT: '600000' });
  end(tracer, 3);
  await tracing.close();
  expect(await counted('dropped_total{reason="shutdown"}')).toBe(3);
});
