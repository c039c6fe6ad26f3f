import { afterAll, expect, it, vi } from 'vitest';
import { type ReceivedSpan, spanKind, startOtlpCollector } from '../../../../test/support/otlp-collector.ts';
import { useControlPlane } from '../spec-support/use-control-plane.ts';

const collector = await startOtlpCollector();
afterAll(() => collector.close());
const token = 'data-plane-token-0123456789abcdefghij';
const fixture = useControlPlane({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '10', GATEHOUSE_DATA_PLANE_TOKEN: token });

const context = (traceId: string, flags = '01'): string => `00-${traceId}-00f067aa0ba902b7-${flags}`;
const traceId = (index: number): string => `4bf92f3577b34da6a3ce929d0e0e000${index}`;
const spansOf = (id: string): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === id);
const untilSpansOf = (id: string): Promise<void> => vi.waitFor(() => expect(spansOf(id)).not.toEqual([]), { timeout: 20_000 });

it('a request of the REST API is a span, by the route that it took and nothing of what it was about', async () => {
  const reply = await fixture.plane.send('GET', '/v1/workspaces/default/servers/marked-name?cursor=marked-query', { headers: { traceparent: context(traceId(1)) } });
  expect(reply.status).toBeGreaterThanOrEqual(400);
  await untilSpansOf(traceId(1));
  expect(spansOf(traceId(1))).toMatchObject([{
    name: 'GET /v1/workspaces/:workspace/servers/:server', kind: spanKind.server, parentSpanId: '00f067aa0ba902b7', service: 'gatehouse-control-plane',
    attributes: { 'http.request.method': 'GET', 'http.route': '/v1/workspaces/:workspace/servers/:server', 'http.response.status_code': reply.status },
  }]);
  expect(spansOf(traceId(1))[0]?.status).toBeUndefined();
  expect(collector.raw.join('\n')).not.toContain('marked');
});

it('so is what a data plane asks for, on the internal port', async () => {
  const url = `${fixture.plane.internalUrl}/internal/tokens`;
  await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}`, traceparent: context(traceId(2)) }, body: '{}' });
  await untilSpansOf(traceId(2));
  expect(spansOf(traceId(2))).toMatchObject([{ name: 'POST /internal/tokens', attributes: { 'http.response.status_code': 400 } }]);
});

it('what its caller does not keep, and what matches no route, is none', async () => {
  await fixture.plane.send('GET', '/v1/workspaces/default/servers', { headers: { traceparent: context(traceId(3), '00') } });
  await fixture.plane.send('GET', '/v1/nowhere', { headers: { traceparent: context(traceId(4)) } });
  await fixture.plane.send('GET', '/v1/workspaces/default/servers', { headers: { traceparent: context(traceId(5)) } });
  await untilSpansOf(traceId(5));
  expect([spansOf(traceId(3)), spansOf(traceId(4))]).toEqual([[], []]);
});
