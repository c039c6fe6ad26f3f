import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { describeSettings, InvalidSettingsError, readSettings } from '../settings.ts';
import { openTracing } from './open-tracing.ts';
import { readPairs } from './read-pairs.ts';
import { tracingSettings } from './tracing-settings.ts';

const read = (environment: Record<string, string>) => readSettings(tracingSettings, environment);
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

it('have the names that they have everywhere', () => {
  expect(read({ ...collector, OTEL_SERVICE_NAME: 'gate', GATEHOUSE_OTEL_SERVICE_NAME: 'other' }).OTEL_SERVICE_NAME).toBe('gate');
  expect(describeSettings(tracingSettings)).toMatch(/^ {2}OTEL_EXPORTER_OTLP_HEADERS\[_FILE\]$/m);
});

it.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:secret-word@collector'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'secret-word'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret-word%0d%0ab'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret-word-%E2%82%AC'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a b=c'],
])('%s=%s is refused by its name, and a secret is not quoted', (name, value) => {
  const wrong = { ...collector, [name]: value };
  expect(() => read(wrong)).toThrowError(InvalidSettingsError);
  expect(() => read(wrong)).toThrowError(new RegExp(`^${name} `));
  expect(() => read(wrong)).not.toThrowError(/secret-word/);
});

describe('what a platform sets for all that runs on it', () => {
  const platform = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_EXPORTER_OTLP_HEADERS_FILE: '/nowhere', OTEL_BSP_SCHEDULE_DELAY: 'soon', OTEL_RESOURCE_ATTRIBUTES: 'a b=c' };

  it.each<[string, Record<string, string>]>([
    ['there is no collector', {}],
    ['its URL is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }],
    ['all of OpenTelemetry is switched off', { ...collector, OTEL_SDK_DISABLED: 'True' }],
    ['traces are', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
  ])('is nobody’s business where %s: nothing is traced', async (_, environment) => {
    const settings = read({ ...platform, ...environment });
    const tracing = openTracing(settings, { role: 'spec', registry: new Registry(), logger: createLogger({ level: 'silent', role: 'spec' }) });
    expect(tracing.tracer).toBeUndefined();
    await tracing.close();
  });

  it.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])('is heard where there is one (%s)', (name) => {
    expect(() => read({ ...platform, [name]: 'http://collector:4318', OTEL_SDK_DISABLED: 'false' })).toThrowError(/^OTEL_EXPORTER_OTLP_PROTOCOL /m);
  });

  it('is what it is where others understand it too', () => {
    expect(read({ ...collector, OTEL_SDK_DISABLED: 'no', OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_HEADERS: 'a=%C3%BC' })).toMatchObject({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
  });
});

describe('key=value,…', () => {
  it.each([
    ['', []],
    ['a=b', [['a', 'b']]],
    [' deployment.environment.name=eu%2Cwest , k8s.pod.name=x=y,', [['deployment.environment.name', 'eu,west'], ['k8s.pod.name', 'x=y']]],
  ])('%j', (text, pairs) => expect(readPairs(text)).toEqual(pairs));
  it.each(['a', '=b', 'a=%', 'a=%00'])('%j is none', (text) => expect(readPairs(text)).toBeUndefined());
});
