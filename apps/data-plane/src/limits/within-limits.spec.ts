import { CallLimiter, createMemorySharedBuckets } from '@gatehouse/call-limits';
import type { ServerDocument } from '@gatehouse/gateway-config';
import { prepareServer } from '@gatehouse/upstream-request';
import { describe, expect, it } from 'vitest';
import { RelayedRequest } from '../bridges/relay/relayed-request.ts';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import { CallRecord } from '../pipeline/call-record.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { IncomingRequest, Reply, StreamedBody } from '../pipeline/request.ts';
import { CallerDepartures, MemberRequest } from '../virtual/member-request.ts';
import { withinLimits } from './within-limits.ts';

/** A caller that may leave. */
class Caller implements IncomingRequest {
  readonly method = 'POST';
  readonly target = '/mcp/w/s';
  readonly headers = [];
  readonly #listeners: (() => void)[] = [];
  readBody = (): Promise<Buffer> => Promise.resolve(Buffer.alloc(0));
  onDisconnect = (listener: () => void): void => void this.#listeners.push(listener);
  leave = (): void => this.#listeners.forEach((listener) => listener());
}

const unread: StreamedBody = { pipe: () => undefined, resume: () => undefined, abort: () => undefined };
const reply: Reply = { status: 200, headers: [], body: unread };

function setup(limits: NonNullable<ServerDocument['limits']>) {
  const limiter = new CallLimiter({ now: () => 0, buckets: createMemorySharedBuckets(() => 0), defaults: { server: 0, caller: 0 }, onSharedChange: () => undefined, onSharedAlone: () => undefined });
  const gateway = { callLimits: { limiter, refused: () => undefined } } as unknown as Gateway;
  const server = prepareServer('s', 'w', { type: 'mcp', name: 's', upstream: { url: 'http://up.example' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' }, limits });
  const send = (request: IncomingRequest, method = 'tools/call', answer = (): Promise<Reply> => Promise.resolve(reply)): Promise<Reply> => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'echo' } }));
    const call = { method: 'POST', era: 'legacy', body, message: { era: 'legacy', method, name: 'echo', id: 1 } };
    const admitted = { route: { endpoint: 'mcp' }, server, caller: { id: 'ana' }, call, request, headers: {} } as unknown as AdmittedCall;
    return withinLimits(gateway, admitted, new CallRecord(0), answer);
  };
  return { limiter, send };
}

const asMember = (caller: Caller): MemberRequest => new MemberRequest(new CallerDepartures(caller), 'POST', undefined);
const asRelayed = (caller: Caller): RelayedRequest => new RelayedRequest({ method: 'POST', target: '/mcp/w/s', headers: [], body: Buffer.alloc(0) }, caller);

describe('the place of a call', () => {
  it.each<[string, (caller: Caller) => IncomingRequest]>([['caller', (caller) => caller], ['caller of a virtual server', asMember]])('is free when its %s has left, though nobody reads the answer or gives it up', async (_, requestOf) => {
    const { limiter, send } = setup({ concurrentCalls: { server: 1 } });
    const caller = new Caller();
    await send(requestOf(caller));
    expect(limiter.places).toBe(1);
    caller.leave();
    expect(limiter.places).toBe(0);
    await send(requestOf(new Caller()));
    expect(limiter.places).toBe(1);
  });

  it('is free when its member was waited for too long', async () => {
    const { limiter, send } = setup({ concurrentCalls: { server: 1 } });
    const request = asMember(new Caller());
    await send(request);
    request.leave();
    expect(limiter.places).toBe(0);
  });

  it('is free when nothing came of it', async () => {
    const { limiter, send } = setup({ concurrentCalls: { server: 1 } });
    await expect(send(new Caller(), 'tools/call', () => Promise.reject(new Error('nothing')))).rejects.toThrow('nothing');
    expect(limiter.places).toBe(0);
    await send(new Caller(), 'tools/call', () => Promise.resolve({ ...reply, body: '{}' }));
    expect(limiter.places).toBe(0);
  });
});

describe('what was counted elsewhere', () => {
  it('a request that another data plane has passed on', async () => {
    const { limiter, send } = setup({ rates: [{ per: 'server', calls: 1, seconds: 60 }], concurrentCalls: { server: 1 } });
    for (let count = 0; count < 3; count += 1) await send(asRelayed(new Caller()));
    expect(limiter.places).toBe(0);
    await send(new Caller());
    await expect(send(new Caller())).rejects.toMatchObject({ code: 'too_many_concurrent_calls' });
  });
});
