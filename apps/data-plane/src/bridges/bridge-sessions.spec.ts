import { anonymousCaller } from '@gatehouse/agent-auth';
import type { SessionOwner } from '@gatehouse/mcp-protocol';
import { describe, expect, it } from 'vitest';
import { prepareServer } from '@gatehouse/upstream-request';
import type { BridgeSession } from './bridge-session.ts';
import { BridgeSessions } from './bridge-sessions.ts';

const ownerOf = (callerId: string, serverId = 's'): SessionOwner => ({ workspace: 'w', serverId, upstreamUrl: 'u', callerId });

const server = prepareServer('s', 'w', { type: 'mcp', name: 's', upstream: { url: 'http://up.example' }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'none' } });

class SpecSession implements BridgeSession {
  readonly id: string;
  readonly owner: SessionOwner;
  readonly admission = { server, caller: anonymousCaller };
  readonly upstream = server.upstream;
  isBusy = false;
  isClosed = false;

  constructor(id: string, callerId = 'ana', serverId = 's') {
    this.id = id;
    this.owner = ownerOf(callerId, serverId);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
class OtherKind extends SpecSession {
  readonly other = true;
}

const gone = new Set<string>();
const start = (max = 3, maxPerOwner = 2): BridgeSessions => new BridgeSessions({ max, maxPerOwner, idleMs: 100 }, ({ id }) => !gone.has(id));
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
    sessions.sweep(100);
    expect([used.isClosed, idle.isClosed, sessions.size]).toEqual([false, true, 1]);
  });

  it('are closed when their server is gone, though somebody listens', () => {
    const sessions = start();
    const [kept, unserved] = [new SpecSession('kept'), new SpecSession('unserved')];
    unserved.isBusy = true;
    for (const session of [kept, unserved]) sessions.add(session, null, 0);
    gone.add('unserved');
    sessions.sweep(1);
    expect([kept.isClosed, unserved.isClosed, sessions.size]).toEqual([false, true, 1]);
  });

  describe('of callers without a name', () => {
    const fill = (sessions: BridgeSessions, count: number, serverId?: string): void => {
      for (let index = 0; index < count; index += 1) {
        const session = new SpecSession(`${serverId ?? 's'}-${index}`, anonymousCaller.id, serverId);
        session.isBusy = true;
        sessions.add(session, 7);
      }
    };

    it('are not bound as those of one caller: they are many', () => {
      const sessions = start(10, 2);
      fill(sessions, 5);
      expect(sessions.size).toBe(5);
    });

    it('have half of all with one server: there is room for others, and with other servers', () => {
      const sessions = start(10, 2);
      fill(sessions, 5);
      expect(() => sessions.add(new SpecSession('a', anonymousCaller.id), 7)).toThrow(refused);
      sessions.add(new SpecSession('b', 'ana'), 7);
      fill(sessions, 4, 'other');
      expect(sessions.size).toBe(10);
    });
  });

  it('are all closed in the end', async () => {
    const sessions = start();
    const all = [new SpecSession('a'), new SpecSession('b', 'ben')];
    for (const session of all) sessions.add(session, null);
    await sessions.closeAll();
    expect([all.map(({ isClosed }) => isClosed), sessions.size]).toEqual([[true, true], 0]);
  });
});
