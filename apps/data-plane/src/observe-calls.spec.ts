import { GatewayError } from '@gatehouse/errors';
import { createLogger } from '@gatehouse/service-runtime';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { observeCalls } from './observe-calls.ts';
import { CallRecord } from './pipeline/call-record.ts';
import { type PreparedServer, prepareServer } from '@gatehouse/upstream-request';

const server = (name: string) =>
  prepareServer(name, 'default', {
    name, type: 'mcp', upstream: { url: 'https://upstream.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' },
  });
const callOf = (prepared: PreparedServer | undefined, error?: GatewayError): CallRecord => Object.assign(new CallRecord(0), { server: prepared, error });
const logger = createLogger({ level: 'silent', role: 'spec', destination: { write: () => undefined } });

test('what was counted of a server goes with it, its errors too, and comes back with a call', async () => {
  const configured = new Set(['kept', 'gone']);
  const registry = new Registry();
  const record = observeCalls(logger, registry, () => 0, (workspace, name) => workspace === 'default' && configured.has(name));
  const [kept, gone] = [server('kept'), server('gone')];
  for (const call of [callOf(kept), callOf(gone), callOf(gone, new GatewayError('upstream_timeout')), callOf(undefined)]) record(call);
  expect(await registry.metrics()).toContain('server="gone",outcome="upstream_timeout"');

  configured.delete('gone');
  const without = await registry.metrics();
  expect(without).not.toContain('server="gone"');
  expect(without).toContain('gatehouse_requests_total{workspace="default",server="kept",outcome="ok"} 1');

  // A call that was under way when its server was deleted.
  record(callOf(gone));
  expect(await registry.metrics()).not.toContain('server="gone"');
  configured.add('gone');
  record(callOf(gone));
  record(callOf(kept));
  const back = await registry.metrics();
  expect(back).toContain('gatehouse_requests_total{workspace="default",server="gone",outcome="ok"} 1');
  expect(back).toContain('gatehouse_requests_total{workspace="default",server="kept",outcome="ok"} 2');
  expect(back).toContain('gatehouse_request_duration_seconds_count{workspace="default",server="gone"} 1');
});

test('a call’s line has the logger’s own fields before its own, and says nothing of what there is not', () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', role: 'spec', destination: { write: (line) => void lines.push(line) } });
  const record = observeCalls(log, new Registry(), () => 1.234);
  const verdicts = [{ name: 'X-A', action: 'kept', rule: 'all', from: 'server' }, { name: 'X-B', action: 'dropped', reason: 'blocked', rule: 'blocked', from: 'built-in' }] as const;
  const orders = server('orders');
  record(Object.assign(callOf(orders), { verdicts, answeredBy: orders, credentials: ['stored'] }));
  record(callOf(undefined, new GatewayError('upstream_timeout')));
  const [served, failed] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const { time, ...rest } = served ?? {};
  expect(new Date(String(time)).toISOString()).toBe(time);
  expect(rest).toEqual({ level: 'info', role: 'spec', pid: process.pid, workspace: 'default', server: 'orders', serverId: 'orders', outcome: 'ok', credentials: ['stored'], headers: { kept: 1, blocked: 1 }, durationMs: 1.23, msg: 'call' });
  expect(Object.keys(served ?? {}).slice(0, 5)).toEqual(['level', 'time', 'role', 'pid', 'workspace']);
  expect(failed).toMatchObject({ outcome: 'upstream_timeout', err: { code: 'upstream_timeout' }, msg: 'call' });
  expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
});

test('an event says what the line says, without its error’s detail, whatever is logged; what reached no server is no event', () => {
  const events: Record<string, unknown>[] = [];
  const times: string[] = [];
  const sink = { add: (fields: string, at: Date, time: string) => void (events.push(JSON.parse(fields) as Record<string, unknown>), times.push(time, at.toISOString())) };
  const record = observeCalls(logger, new Registry(), () => 1.234, () => true, sink);
  const [virtual, member] = [server('all'), server('orders')];
  const call = { method: 'POST', era: 'modern', message: { era: 'modern', method: 'tools/call', name: 'x'.repeat(300), id: 1 } };
  const caller = { id: 'person:1', kind: 'person', name: 'Ana', groups: [] };
  record(Object.assign(callOf(virtual, new GatewayError('upstream_timeout', { detail: 'of a detail' })), { answeredBy: member, credentials: ['connection', 'identity'], caller, call, route: { endpoint: 'mcp' }, upstreamStatus: 504, upstreamMs: 1 }));
  record(callOf(undefined, new GatewayError('server_not_found')));
  expect(events).toEqual([{
    workspace: 'default', server: 'all', serverId: 'all', member: 'orders', caller: 'person:1', callerKind: 'person', endpoint: 'mcp', http: 'POST', era: 'modern', method: 'tools/call', tool: 'x'.repeat(256),
    outcome: 'upstream_timeout', credentials: ['connection', 'identity'], upstreamStatus: 504, upstreamMs: 1, durationMs: 1.23,
  }]);
  expect(times[0]).toBe(times[1]);
});

test('credentials are counted by how they were come by, each of a call’s, until their server goes', async () => {
  const configured = new Set(['orders']);
  const registry = new Registry();
  const record = observeCalls(logger, registry, () => 0, (_workspace, name) => configured.has(name));
  for (const credentials of [['connection', 'identity'], ['connection'], undefined]) record(Object.assign(callOf(server('orders')), { credentials }));
  const counted = await registry.metrics();
  expect(counted).toContain('gatehouse_credentials_total{workspace="default",server="orders",how="connection"} 2');
  expect(counted).toContain('gatehouse_credentials_total{workspace="default",server="orders",how="identity"} 1');
  configured.delete('orders');
  expect(await registry.metrics()).not.toContain('server="orders"');
});
