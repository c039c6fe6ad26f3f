import { describe, expect, it } from 'vitest';
import { describeSettings, InvalidSettingsError, readSettings } from '../settings.ts';
import { readPairs } from './read-pairs.ts';
import { tracingSettings } from './tracing-settings.ts';

const read = (environment: Record<string, string>) => readSettings(tracingSettings, environment);

it('have the names that they have everywhere', () => {
  expect(read({ OTEL_SERVICE_NAME: 'gate', GATEHOUSE_OTEL_SERVICE_NAME: 'other' }).OTEL_SERVICE_NAME).toBe('gate');
  expect(describeSettings(tracingSettings)).toMatch(/^ {2}OTEL_EXPORTER_OTLP_HEADERS\[_FILE\]$/m);
});

it.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:secret-word@collector'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'secret-word'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret-word%0d%0ab'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a b=c'],
])('%s=%s is refused by its name, and a secret is not quoted', (name, value) => {
  expect(() => read({ [name]: value })).toThrowError(InvalidSettingsError);
  expect(() => read({ [name]: value })).toThrowError(new RegExp(`^${name} `));
  expect(() => read({ [name]: value })).not.toThrowError(/secret-word/);
});

describe('key=value,…', () => {
  it.each([
    ['', []],
    ['a=b', [['a', 'b']]],
    [' deployment.environment.name=eu%2Cwest , k8s.pod.name=x=y,', [['deployment.environment.name', 'eu,west'], ['k8s.pod.name', 'x=y']]],
  ])('%j', (text, pairs) => expect(readPairs(text)).toEqual(pairs));
  it.each(['a', '=b', 'a=%', 'a=%00'])('%j is none', (text) => expect(readPairs(text)).toBeUndefined());
});
