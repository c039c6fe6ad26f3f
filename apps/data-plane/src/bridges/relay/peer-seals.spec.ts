import { keyRingOf } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { PeerSeals, type RelayedContent, type SealedRelay } from './peer-seals.ts';

const here = 'http://10.0.0.1:3001';
const sealsAt = (url: string, key = 7): PeerSeals => new PeerSeals(keyRingOf([Buffer.alloc(32, key)], 'peer-relay'), () => url);
const sender = sealsAt('http://10.0.0.2:3001');
const content: RelayedContent = { method: 'POST', target: '/mcp/w/s', headers: ['Authorization', 'Bearer grüße'], body: Buffer.from('{"id":1}') };
const minutes = (count: number): number => count * 60_000;

describe('what one data plane tells another', () => {
  it('is opened by that one, which proves it', () => {
    const holder = sealsAt(here);
    const relay = sender.seal(here, content);
    const ticket = holder.openTicket(relay.ticket);
    expect(ticket).toEqual({ id: relay.id, contentBytes: relay.content.length });
    expect(ticket && holder.openContent(ticket, relay.content)).toEqual(content);
    expect(sender.isProof(here, relay, ticket && holder.prove(ticket))).toBe(true);
  });

  it('shows nothing of the request', () => {
    const { ticket, content: sealed } = sender.seal(here, content);
    expect(Buffer.concat([Buffer.from(ticket), sealed]).toString('latin1')).not.toMatch(/Bearer|mcp|"id"/);
  });

  it.each([
    ['another address', sealsAt('http://10.0.0.3:3001')],
    ['another fleet', sealsAt(here, 8)],
  ])('says nothing at %s', (_, other) => expect(other.openTicket(sender.seal(here, content).ticket)).toBeUndefined());

  it.each(['', 'AAAA', sender.seal(here, content).content.toString('base64url')])('is nothing with %j for a ticket', (text) => {
    expect(sealsAt(here).openTicket(text)).toBeUndefined();
  });

  it('is good once', () => {
    const holder = sealsAt(here);
    const { ticket } = sender.seal(here, content);
    expect(holder.openTicket(ticket)).toBeDefined();
    expect(holder.openTicket(ticket)).toBeUndefined();
    // What is opened meanwhile does not make it good again, however much time it takes.
    for (const later of [5, 10, 20]) {
      holder.openTicket(sender.seal(here, content, Date.now() + minutes(later)).ticket, Date.now() + minutes(later));
      expect(holder.openTicket(ticket, Date.now() + minutes(later))).toBeUndefined();
    }
  });

  it.each([
    [5, true],
    [-5, true],
    [6, false],
    [-6, false],
  ])('with a clock that is %d minutes ahead: %s', (ahead, isGood) => {
    const { ticket } = sender.seal(here, content, minutes(100 + ahead));
    expect(sealsAt(here).openTicket(ticket, minutes(100)) !== undefined).toBe(isGood);
  });

  it('is not what came with another ticket', () => {
    const holder = sealsAt(here);
    const ticket = holder.openTicket(sender.seal(here, content).ticket);
    expect(ticket && holder.openContent(ticket, sender.seal(here, content).content)).toBeUndefined();
  });

  it('is answered by nobody else', () => {
    const relay = sender.seal(here, content);
    const proofs = (seals: PeerSeals, { id }: SealedRelay): string => seals.prove({ id, contentBytes: 0 });
    const others = [undefined, 'AAAA', relay.ticket, proofs(sealsAt(here, 8), relay), proofs(sealsAt(here), sender.seal(here, content)), proofs(sender, relay)];
    expect(others.map((text) => sender.isProof(here, relay, text))).toEqual(others.map(() => false));
  });
});
