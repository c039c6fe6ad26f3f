import { afterAll, expect, it, vi } from 'vitest';
import { type ReceivedSpan, spanKind, startOtlpCollector } from '../support/otlp-collector.ts';
import { useGateway } from '../support/use-gateway.ts';

const collector = await startOtlpCollector();
afterAll(() => collector.close());
const gateway = useGateway({}, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '10' });

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const contextOf = ({ spanId }: Pick<ReceivedSpan, 'spanId'>): string => `00-${traceId}-${spanId}-01`;

it('one trace from the caller’s header over the data plane and the token broker to the upstream', async () => {
  await gateway.serve({ name: 'mail', agentAuth: { type: 'interactive' }, outboundHeaders: [{ name: 'X-User-Token', source: { type: 'caller-token', from: 'identity-provider' } }] });
  const authorization = await gateway.authorizationOf('ana', 'mail');
  const { status, text } = await gateway.call('mail', { authorization, traceparent: contextOf({ spanId: '00f067aa0ba902b7' }) });
  expect(status, text).toBe(200);

  const spans = (): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  await vi.waitFor(() => expect(spans()).toHaveLength(5), { timeout: 20_000 });
  const named = (service: string, kind: number, name: string): ReceivedSpan =>
    spans().find((span) => span.service === service && span.kind === kind && span.name === name) ?? expect.unreachable(`no ${name} in ${JSON.stringify(spans())}`);
  const call = named('gatehouse-data-plane', spanKind.server, 'tools/call inspect');
  const waited = named('gatehouse-data-plane', spanKind.internal, 'obtain credentials');
  const asked = named('gatehouse-data-plane', spanKind.client, 'POST');
  const answered = named('gatehouse-control-plane', spanKind.server, 'POST /internal/tokens');
  const sent = named('gatehouse-data-plane', spanKind.client, 'tools/call inspect');
  expect([call, waited, asked, answered, sent].map(({ parentSpanId }) => parentSpanId)).toEqual(['00f067aa0ba902b7', call.spanId, call.spanId, asked.spanId, call.spanId]);
  expect(gateway.sent('traceparent')).toEqual([contextOf(sent)]);
  expect(gateway.sent('x-user-token')).not.toEqual([undefined]);
});
