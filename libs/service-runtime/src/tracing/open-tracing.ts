import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Secret } from '@gatehouse/sealing';
import type { Registry } from 'prom-client';
import type { Logger } from '../logger.ts';
import type { SettingValues } from '../settings.ts';
import { version } from '../version.ts';
import { readPairs } from './read-pairs.ts';
import { samplerOf } from './sampler.ts';
import { SpanCounters, SpanExporter } from './span-exporter.ts';
import { attributesText } from './span-text.ts';
import { Tracer } from './tracer.ts';
import type { tracingSettings } from './tracing-settings.ts';

export type TracingSettings = SettingValues<typeof tracingSettings>;

export interface OpenTracing {
  /** Absent where nobody wants spans. */
  readonly tracer: Tracer | undefined;
  /** Sends what is left, within a few seconds. */
  close(): Promise<void>;
}

export interface TracingParts {
  readonly role: string;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** Spans are counted in `registry`, whether or not there are any. */
export function openTracing(settings: TracingSettings, { role, registry, logger }: TracingParts): OpenTracing {
  const counters = new SpanCounters(registry);
  const url = endpointOf(settings);
  if (url === undefined) return { tracer: undefined, close: () => Promise.resolve() };
  const now = (): number => performance.now();
  const exporter = new SpanExporter({
    url,
    headers: (readPairs(settings.OTEL_EXPORTER_OTLP_HEADERS?.reveal() ?? '') ?? []).map(([name, value]) => [name, new Secret(value)]),
    envelope: envelopeOf(settings, role),
    timeoutMs: settings.OTEL_EXPORTER_OTLP_TIMEOUT,
    delayMs: settings.OTEL_BSP_SCHEDULE_DELAY,
    spansPerBatch: Math.min(settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, settings.OTEL_BSP_MAX_QUEUE_SIZE),
    maxWaiting: settings.OTEL_BSP_MAX_QUEUE_SIZE,
    counters, logger, now,
  });
  const sampler = samplerOf(settings.OTEL_TRACES_SAMPLER, settings.OTEL_TRACES_SAMPLER_ARG);
  return { tracer: new Tracer({ sampler, sink: exporter.add, now }), close: () => exporter.stop() };
}

/** The path is added to the endpoint of all signals alone (OpenTelemetry, OTLP exporter configuration). */
function endpointOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces, OTEL_EXPORTER_OTLP_ENDPOINT: all }: TracingSettings): URL | undefined {
  if (traces !== undefined) return new URL(traces);
  return all === undefined ? undefined : new URL(`${all.replace(/\/+$/, '')}/v1/traces`);
}

/** What the environment says of a resource goes before what is known here, and its name before all (OpenTelemetry, resource SDK). */
function envelopeOf({ OTEL_RESOURCE_ATTRIBUTES: more = '', OTEL_SERVICE_NAME: name }: TracingSettings, role: string): readonly [before: string, after: string] {
  const known = { 'service.name': `gatehouse-${role}`, 'service.version': version, 'service.instance.id': randomUUID(), 'host.name': hostname(), 'process.pid': process.pid };
  const resource = { ...known, ...Object.fromEntries(readPairs(more) ?? []), ...(name !== undefined && { 'service.name': name }) };
  return [`{"resourceSpans":[{"resource":{"attributes":${attributesText(Object.entries(resource).flat())}},"scopeSpans":[{"scope":{"name":"gatehouse","version":"${version}"},"spans":[`, ']}]}]}'];
}
