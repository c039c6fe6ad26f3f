import { describe, expect, it } from 'vitest';
import type { IncomingRequest, Reply, StreamedBody } from '../pipeline/request.ts';
import { CallerDepartures, type Departures, MemberRequest } from './member-request.ts';

/** A caller's request, of which is known how many listen to it. */
function startCaller(): { readonly request: Departures; readonly listeners: (() => void)[]; readonly leave: () => void } {
  const listeners: (() => void)[] = [];
  const request: IncomingRequest = { method: 'POST', target: '/', headers: [], readBody: () => Promise.resolve(Buffer.alloc(0)), onDisconnect: (listener: () => void) => void listeners.push(listener) };
  return { request: new CallerDepartures(request), listeners, leave: () => listeners.forEach((listener) => listener()) };
}

const body: StreamedBody = { pipe: () => undefined, resume: () => undefined, abort: () => undefined };
const streamed: Reply = { status: 200, headers: [], body };
const whole: Reply = { status: 200, headers: [], body: '' };

describe('requests to members on behalf of one caller', () => {
  it('listen to the caller’s request once, however many there are, and of whatever depth', () => {
    const { request, listeners, leave } = startCaller();
    let told = 0;
    for (let index = 0; index < 20; index += 1) new MemberRequest(new MemberRequest(request, 'POST', undefined), 'POST', undefined).onDisconnect(() => void (told += 1));
    expect(listeners).toHaveLength(1);
    leave();
    expect(told).toBe(20);
  });

  it('are told of a caller that has left before', () => {
    const { request, leave } = startCaller();
    const told: string[] = [];
    new MemberRequest(request, 'POST', undefined).onDisconnect(() => void told.push('first'));
    leave();
    new MemberRequest(request, 'POST', undefined).onDisconnect(() => void told.push('second'));
    expect(told).toEqual(['first', 'second']);
  });

  it.each<[string, Reply, boolean]>([['has the whole answer', whole, false], ['has a stream that goes on', streamed, true]])('are told of it or not: one that %s', async (_case, reply, isTold) => {
    const { request, leave } = startCaller();
    const member = new MemberRequest(request, 'POST', undefined);
    let told = false;
    member.onDisconnect(() => void (told = true));
    await member.lastFor(Promise.resolve(reply));
    leave();
    expect(told).toBe(isTold);
  });

  it('are not told once nobody wants the stream any more', async () => {
    const { request, leave } = startCaller();
    const member = new MemberRequest(request, 'POST', undefined);
    let told = false;
    member.onDisconnect(() => void (told = true));
    const reply = await member.lastFor(Promise.resolve(streamed));
    if (typeof reply.body === 'object') reply.body.abort();
    leave();
    expect(told).toBe(false);
  });

  it('are ended before the caller’s, with those that were made for them; or outlive it', () => {
    const { request, leave } = startCaller();
    const told: string[] = [];
    const outer = new MemberRequest(request, 'POST', undefined);
    new MemberRequest(outer, 'POST', undefined).onDisconnect(() => void told.push('inner'));
    new MemberRequest(request, 'DELETE', undefined, false).onDisconnect(() => void told.push('goodbye'));
    outer.leave();
    leave();
    expect(told).toEqual(['inner']);
  });
});
