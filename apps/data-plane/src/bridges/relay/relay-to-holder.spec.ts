import { keyRingOf } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import type { ForwardedCall } from '../../pipeline/forwarded-call.ts';
import { SessionRequest } from '../session-request.ts';
import { PeerSeals } from './peer-seals.ts';
import { relayedHeaders, relayToHolder } from './relay-to-holder.ts';
import { RelayedRequest } from './relayed-request.ts';

describe('of the head of a request', () => {
  it('goes along what is about the request, as it came', () => {
    const rows = ['Host', 'gatehouse.example', 'Authorization', 'Bearer k', 'Mcp-Session-Id', 's', 'X-A', '1', 'x-a', '2'];
    expect(relayedHeaders(rows)).toEqual(rows);
  });

  it.each([
    ['is about the connection', ['Connection', 'keep-alive', 'Transfer-Encoding', 'chunked', 'Content-Length', '3', 'TE', 'trailers']],
    ['`Connection` nominates', ['Connection', 'close, X-Hop', 'X-Hop', '1', 'connection', 'Authorization', 'Authorization', 'Bearer k']],
    ['a gateway has no use for', ['Cookie', 'session=1']],
    ['data planes say to each other', ['X-Gatehouse-Relay', 'forged']],
  ])('stays behind what %s', (_, rows) => expect(relayedHeaders([...rows, 'Host', 'h'])).toEqual(['Host', 'h']));
});

it('a request that was passed on is not passed on again', async () => {
  const seals = new PeerSeals(keyRingOf([Buffer.alloc(32, 7)], 'peer-relay'), () => 'http://10.0.0.1:3001');
  const request = new RelayedRequest({ method: 'POST', target: '/mcp/w/s', headers: [], body: Buffer.alloc(0) }, new SessionRequest());
  const relayed = relayToHolder(() => Promise.reject(new Error('dispatched')), seals, 'http://10.0.0.2:3001', { request } as unknown as ForwardedCall);
  await expect(relayed).rejects.toMatchObject({ code: 'session_not_found', detail: 'relayed already' });
});
