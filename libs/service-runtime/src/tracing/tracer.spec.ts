import { describe, expect, it } from 'vitest';
import { type SamplerName, samplerOf } from './sampler.ts';
import type { Span } from './span.ts';
import { formatTraceparent, readTraceparent, type TraceContext } from './trace-context.ts';
import { Tracer } from './tracer.ts';

const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const sampled = `00-${traceId}-${spanId}-01`;
const unsampled = `00-${traceId}-${spanId}-00`;

function tracing(name: SamplerName = 'parentbased_always_on', ratio = 1): { tracer: Tracer; ended: Span[] } {
  const ended: Span[] = [];
  return { tracer: new Tracer({ sampler: samplerOf(name, ratio), sink: (span) => void ended.push(span), now: () => 5 }), ended };
}
const parentOf = (text: string): TraceContext => readTraceparent(text) ?? expect.unreachable(text);

describe('W3C Trace Context section 3.2.2', () => {
  it.each([
    [sampled, { isSampled: true, isRandom: false }],
    [unsampled, { isSampled: false, isRandom: false }],
    [sampled.replace(/01$/, '03'), { isSampled: true, isRandom: true }],
    // A later version: what is known of it is at the same places.
    [`cc${sampled.slice(2)}-what-may-come`, { isSampled: true, isRandom: false }],
  ])('%s is read', (text, flags) => expect(readTraceparent(text)).toEqual({ traceId, spanId, ...flags }));

  it.each([
    undefined, '', 'none', sampled.toUpperCase(), `${sampled}-more`, sampled.replace(traceId, '0'.repeat(32)), sampled.replace(spanId, '0'.repeat(16)), `ff${sampled.slice(2)}`, ` ${sampled}`, `${sampled}\n`,
  ])('%j is none', (text) => expect(readTraceparent(text)).toBeUndefined());

  it('what is written is of version 00 and 55 characters long', () => {
    expect(formatTraceparent(parentOf(sampled))).toBe(sampled);
    expect(formatTraceparent(parentOf(`cc${unsampled.slice(2)}-more`))).toBe(unsampled);
  });
});

describe('a tracer', () => {
  it('continues a trace, with spans of its own', () => {
    const { tracer, ended } = tracing();
    const server = tracer.enter(parentOf(sampled), 'server', 'one');
    const client = tracer.child(server, 'client', 'two');
    client.end(7);
    server.end(8);
    server.end(9);
    expect(ended.map((span) => [span.traceId, span.parent?.spanId, span.startMs, span.endMs])).toEqual([[traceId, server.spanId, 5, 7], [traceId, spanId, 5, 8]]);
    expect(new Set([spanId, server.spanId, client.spanId]).size).toBe(3);
  });

  it('begins one where there is none', () => {
    const { tracer } = tracing();
    const [one, other] = [tracer.enter(undefined, 'server', ''), tracer.enter(undefined, 'server', '')];
    expect(one.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(one.traceId).not.toBe(other.traceId);
  });

  it('passes on what nobody keeps as it came', () => {
    const { tracer, ended } = tracing();
    const server = tracer.enter(parentOf(unsampled), 'server', '');
    expect(tracer.child(server, 'client', '').traceparent).toBe(unsampled);
    server.set('a', 1);
    server.end(6);
    expect([server.attributes, ended]).toEqual([[], []]);
  });

  it('says that it does not keep what others do, under an id of its own', () => {
    const { tracer } = tracing('traceidratio', 0);
    const { traceparent } = tracer.enter(parentOf(sampled), 'server', '');
    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(traceparent).not.toContain(spanId);
  });
});

describe('samplers', () => {
  it.each<[SamplerName, number, boolean, boolean, boolean]>([
    // Without a parent, with one that is kept, with one that is not.
    ['always_on', 1, true, true, true],
    ['always_off', 1, false, false, false],
    ['traceidratio', 1, true, true, true],
    ['traceidratio', 0, false, false, false],
    ['parentbased_always_on', 1, true, true, false],
    ['parentbased_always_off', 1, false, true, false],
    ['parentbased_traceidratio', 0, false, true, false],
    ['parentbased_traceidratio', 1, true, true, false],
  ])('%s %s', (name, ratio, ...expected) => {
    const sampler = samplerOf(name, ratio);
    expect([undefined, sampled, unsampled].map((text) => sampler(readTraceparent(text), traceId))).toEqual(expected);
  });

  it('keep that part of the traces which they are told, the same ones everywhere', () => {
    const [quarter, half] = [samplerOf('traceidratio', 0.25), samplerOf('traceidratio', 0.5)];
    const { tracer } = tracing();
    const ids = Array.from({ length: 4_000 }, () => tracer.enter(undefined, 'server', '').traceId);
    const kept = ids.filter((id) => quarter(undefined, id));
    // 19 standard deviations to each side.
    expect(Math.abs(kept.length - 1_000)).toBeLessThan(520);
    expect(kept.every((id) => half(undefined, id))).toBe(true);
  });
});
