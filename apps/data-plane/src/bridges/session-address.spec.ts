import { type SessionOwner, SealedSessions } from '@gatehouse/mcp-protocol';
import { keyRingOf } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { addToPath, SessionAddresses, takeFromPath } from './session-address.ts';

const sessions = new SealedSessions(keyRingOf([Buffer.alloc(32, 7)], 'session'), 60_000);
const owner: SessionOwner = { workspace: 'w', serverId: 's', upstreamUrl: 'https://up.example/mcp', callerId: 'ana' };
const here = new SessionAddresses(sessions, () => 'http://10.0.0.1:3001');
const there = new SessionAddresses(sessions, () => 'http://10.0.0.2:3001');

describe('the name of a session', () => {
  it('says to every data plane where the session is', () => {
    const address = there.open(owner, here.seal(owner, 'id-1'));
    expect(address).toEqual({ id: 'id-1', peerUrl: 'http://10.0.0.1:3001' });
    expect(address && [here.isHere(address), there.isHere(address)]).toEqual([true, false]);
  });

  it.each([
    ['another caller', { ...owner, callerId: 'ben' }],
    ['another server', { ...owner, serverId: 't' }],
  ])('says nothing to %s', (_, other) => {
    expect(here.open(other, here.seal(owner, 'id-1'))).toBeUndefined();
  });

  it('is not what an upstream said, though the pipeline sealed it: no request follows it anywhere', () => {
    const upstreams = JSON.stringify(['id-1', 'http://169.254.169.254']);
    expect(here.open(owner, upstreams)).toBeUndefined();
    expect(here.open(owner, sessions.seal('mcp-session', owner, upstreams))).toBeUndefined();
  });
});

describe('a path with a name in it', () => {
  it.each([
    ['/mcp', ''],
    ['/mcp?a=b', ''],
    ['/mcp', 'key=c%26d'],
    ['/mcp?a=b?c&d', 'key=e'],
  ])('is %s with %j behind when the name is taken out', (path, added) => {
    const name = here.seal(owner, 'id-1');
    const withName = addToPath(path, name);
    const expected = added === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${added}`;
    expect(takeFromPath(added === '' ? withName : `${withName}&${added}`)).toEqual({ path: expected, name });
  });

  it('has none where there was none', () => expect(takeFromPath('/mcp?a=b')).toEqual({ path: '/mcp?a=b', name: undefined }));
});
