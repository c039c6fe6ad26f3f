import { randomBytes } from 'node:crypto';
import { keyRingOf } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { SealedSessions, type SessionOwner } from './sealed-session.ts';

const ring = keyRingOf([randomBytes(32)], 'session');
const owner: SessionOwner = { workspace: 'default', serverId: 's1', upstreamUrl: 'https://a.example/mcp', callerId: 'ana' };
const open = (id: string, as: SessionOwner = owner, now?: number): (string | undefined)[] => {
  const issuing = new SealedSessions(ring, 60_000);
  // A replica that saw the id before, and one that never did, answer the same.
  issuing.open('mcp-session', owner, id);
  return [issuing.open('mcp-session', as, id, now), new SealedSessions(ring, 60_000).open('mcp-session', as, id, now)];
};
const id = new SealedSessions(ring, 60_000).seal('mcp-session', owner, 'upstream-1');

describe('a sealed session id', () => {
  it('opens on any replica for its caller and server', () => {
    expect(open(id)).toEqual(['upstream-1', 'upstream-1']);
    expect(id).toMatch(/^[\x21-\x7e]+$/);
  });

  it.each<[string, Partial<SessionOwner>]>([
    ['another caller', { callerId: 'ben' }],
    ['another server', { serverId: 's2' }],
    ['another workspace', { workspace: 'other' }],
    ['the server with another upstream', { upstreamUrl: 'https://b.example/mcp' }],
  ])('does not open for %s', (_name, other) => {
    expect(open(id, { ...owner, ...other })).toEqual([undefined, undefined]);
  });

  it('does not open once it has expired', () => {
    expect(open(id, owner, Date.now() + 61_000)).toEqual([undefined, undefined]);
  });

  it('does not open for another purpose', () => {
    expect(new SealedSessions(ring, 60_000).open('sse-endpoint', owner, id)).toBeUndefined();
  });

  it.each(['', 'x', 'upstream-1', id.slice(0, -2), `${id}==`, `${id}!`, ` ${id}`, `${id}${'$'.repeat(30_000)}`, `${id.slice(0, 20)}${id[20] === 'A' ? 'B' : 'A'}${id.slice(21)}`])('does not open tampered with: %.40s', (other) => {
    expect(open(other)[1]).toBeUndefined();
  });
});
