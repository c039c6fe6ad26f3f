import { ConnectError } from '@gatehouse/access-tokens';
import { GatewayError, toGatewayError } from '@gatehouse/errors';
import { MemberNames } from '@gatehouse/virtual-servers';
import { beforeEach, describe, expect, it } from 'vitest';
import { KnownNames } from './known-names.ts';
import type { MemberCalls } from './member-calls.ts';
import { type ListContext, MemberLists } from './member-lists.ts';
import type { Member } from './members.ts';

const member = { server: { id: 'orders', fingerprint: 'f', name: 'orders' }, names: new MemberNames({}) } as unknown as Member;

interface Page {
  readonly names: readonly string[];
  readonly nextCursor?: string;
}

let now: number;
let names: KnownNames;
/** What the member says to a cursor; how long it was waited for is written down. */
let answer: (cursor: string | undefined) => Page;
let asked: (string | undefined)[];
let waited: number[];

beforeEach(() => {
  now = 1_000;
  names = new KnownNames(() => now);
  asked = [];
  waited = [];
  answer = () => ({ names: ['echo'] });
});

const calls = {
  patiently: (work: (calls: unknown) => Promise<unknown>, ms: number) => {
    waited.push(ms);
    return work(calls);
  },
  send: (_member: Member, { id, text }: { id: number; text: string }) => {
    const { cursor } = (JSON.parse(text) as { params: { cursor?: string } }).params;
    asked.push(cursor);
    try {
      const { names: listed, nextCursor } = answer(cursor);
      const body = JSON.stringify({ jsonrpc: '2.0', id, result: { tools: listed.map((name) => ({ name })), nextCursor } });
      return Promise.resolve({ reply: { status: 200, headers: ['content-type', 'application/json'], body }, session: { era: 'modern' }, id });
    } catch (error) {
      return Promise.reject(toGatewayError(error));
    }
  },
};

const lists = (more: Partial<ListContext> = {}): MemberLists =>
  new MemberLists({ calls: calls as unknown as MemberCalls, members: [member], names, scopeOf: () => 'ana', until: now + 10_000, now: () => now, maxBytes: 1_000_000, text: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}', id: 1, ...more }, 'tools');

async function learnt(more?: Partial<ListContext>): Promise<unknown> {
  const all = lists(more);
  await all.learn(0);
  return all.failureOf(0)?.code ?? [...all.namesOf(0)];
}

const down = (): never => {
  throw new GatewayError('upstream_unreachable');
};

describe('P32 what a member has', () => {
  it('is asked for once, page by page, and then known', async () => {
    answer = (cursor) => (cursor === undefined ? { names: ['a'], nextCursor: '2' } : { names: ['b'] });
    expect([await learnt(), await learnt()]).toEqual([['a', 'b'], ['a', 'b']]);
    expect(asked).toEqual([undefined, '2']);
  });

  it('has an end, also where a cursor leads back', async () => {
    answer = (cursor) => ({ names: [`after-${cursor}`], nextCursor: cursor === 'x' ? 'y' : 'x' });
    expect(await learnt()).toEqual(['after-undefined', 'after-x', 'after-y']);
  });

  it('has an end, also where every page has another one', async () => {
    let count = 0;
    answer = () => ({ names: ['a'], nextCursor: String((count += 1)) });
    expect([await learnt(), asked.length]).toEqual([['a'], 200]);
  });

  it('has an end, also where all of its names are long', async () => {
    let count = 0;
    answer = () => ({ names: Array.from({ length: 500 }, (_, index) => `${count}-${index}`.padEnd(1_000, 'x')), nextCursor: String((count += 1)) });
    await learnt();
    expect(asked.length).toBe(9);
  });

  it('is waited for as long as the call has, all pages together', async () => {
    answer = (cursor) => (cursor === undefined ? { names: ['a'], nextCursor: '2' } : { names: ['b'] });
    await learnt({ until: now + 4_000 });
    expect(waited).toEqual([4_000]);
  });

  it('is waited for after a list that took all of its time', async () => {
    answer = (cursor) => (cursor === undefined ? { names: ['a'], nextCursor: '2' } : { names: ['b'] });
    const all = lists({ until: now + 4_000 });
    await all.pages(undefined);
    now += 4_000;
    await all.learn(0, now + 4_000);
    expect([waited, [...all.namesOf(0)]]).toEqual([[4_000, 4_000], ['a', 'b']]);
  });

  it('is not asked for again at once where it does not say so', async () => {
    answer = down;
    expect([await learnt(), await learnt(), asked.length]).toEqual(['upstream_unreachable', 'upstream_unreachable', 1]);
    // However often it is needed meanwhile.
    now += 4_000;
    expect([await learnt(), asked.length]).toEqual(['upstream_unreachable', 1]);
    now += 1_000;
    answer = () => ({ names: ['echo'] });
    expect(await learnt()).toEqual(['echo']);
  });

  it('is what it had, while it is down', async () => {
    await learnt();
    now += 60_000;
    answer = down;
    expect([await learnt(), await learnt()]).toEqual([['echo'], ['echo']]);
    now += 3_600_000;
    expect(await learnt()).toBe('upstream_unreachable');
  });

  it('is the way to connect an account, for one call, and what it had before', async () => {
    const unconnected = (): never => {
      throw new ConnectError({ status: 'connect_required', connectUrl: 'https://gatehouse.example/connect/x', linkId: 'l', owner: 'app', app: 'GitHub', reason: 'not_connected' });
    };
    answer = unconnected;
    const all = lists();
    const { pages } = await all.pages(undefined);
    await all.learn(0);
    expect([pages[0]?.items.map(({ own }) => own), [...all.namesOf(0)]]).toEqual([['connect_account'], ['connect_account']]);
    // Connected now.
    answer = () => ({ names: ['echo'] });
    expect(await learnt()).toEqual(['echo']);
    now += 60_000;
    answer = unconnected;
    expect(await learnt()).toEqual(['echo', 'connect_account']);
  });

  it('is kept for nobody where it is one request’s', async () => {
    await learnt({ scopeOf: () => undefined });
    await learnt();
    expect(asked).toHaveLength(2);
  });
});
