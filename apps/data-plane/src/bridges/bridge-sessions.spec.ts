import type { SessionOwner } from '@gatehouse/mcp-protocol';
import { describe, expect, it } from 'vitest';
import { type BridgeSession, ownerKeyOf } from './bridge-session.ts';
import { BridgeSessions } from './bridge-sessions.ts';

const ownerOf = (callerId: string): SessionOwner => ({ workspace: 'w', serverId: 's', upstreamUrl: 'u', callerId });

class SpecSession implements BridgeSession {
  readonly id: string;
  readonly ownerKey: string;
  isBusy = false;
  isClosed = false;

  constructor(id: string, callerId = 'ana') {
    this.id = id;
    this.ownerKey = ownerKeyOf(ownerOf(callerId));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
class OtherKind extends SpecSession {
  readonly other = true;
}

const start = (max = 3, maxPerOwner = 2): BridgeSessions => new BridgeSessions({ max, maxPerOwner, idleMs: 100 });
const refused: unknown = expect.objectContaining({ code: 'too_many_sessions', rpcId: 7 });

describe('sessions', () => {
  it('are found by their owner, as what they are', () => {
    const sessions = start();
    const session = new SpecSession('a');
    sessions.add(session, null);
    expect(sessions.find(SpecSession, 'a', ownerOf('ana'))).toBe(session);
    expect(sessions.find(SpecSession, 'a', ownerOf('ben'))).toBeUndefined();
    expect(sessions.find(OtherKind, 'a', ownerOf('ana'))).toBeUndefined();
    expect(sessions.find(SpecSession, 'b', ownerOf('ana'))).toBeUndefined();
  });

  it('of one owner: the one unused for longest gives way', () => {
    const sessions = start();
    const [a, b, c] = [new SpecSession('a'), new SpecSession('b'), new SpecSession('c')];
    sessions.add(a, null);
    sessions.add(b, null);
    sessions.find(SpecSession, 'a', ownerOf('ana'));
    sessions.add(c, null);
    expect([a.isClosed, b.isClosed, c.isClosed, sessions.size]).toEqual([false, true, false, 2]);
  });

  it('in use do not give way, to nobody', () => {
    const sessions = start(2, 2);
    for (const session of [new SpecSession('a'), new SpecSession('b')]) {
      session.isBusy = true;
      sessions.add(session, null);
    }
    expect(() => sessions.add(new SpecSession('c'), 7)).toThrow(refused);
    expect(() => sessions.add(new SpecSession('c', 'ben'), 7)).toThrow(refused);
    expect(sessions.size).toBe(2);
  });

  it('of all owners together have a bound as well', () => {
    const sessions = start(2, 2);
    const oldest = new SpecSession('a');
    sessions.add(oldest, null);
    sessions.add(new SpecSession('b', 'ben'), null);
    sessions.add(new SpecSession('c', 'cora'), null);
    expect([oldest.isClosed, sessions.size]).toEqual([true, 2]);
  });

  it('are closed when they were not used for too long', () => {
    const sessions = start();
    const [used, idle] = [new SpecSession('a'), new SpecSession('b')];
    sessions.add(used, null, 0);
    sessions.add(idle, null, 0);
    sessions.find(SpecSession, 'a', ownerOf('ana'), 50);
    sessions.closeIdle(100);
    expect([used.isClosed, idle.isClosed, sessions.size]).toEqual([false, true, 1]);
  });

  it('are all closed in the end', async () => {
    const sessions = start();
    const all = [new SpecSession('a'), new SpecSession('b', 'ben')];
    for (const session of all) sessions.add(session, null);
    await sessions.closeAll();
    expect([all.map(({ isClosed }) => isClosed), sessions.size]).toEqual([[true, true], 0]);
  });
});
