import { randomUUID } from 'node:crypto';
import { type KeyRing, seal, unseal } from '@gatehouse/sealing';

/** A request as its caller sent it, of which one data plane tells another. */
export interface RelayedContent {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Goes ahead of the content, so that nobody's content is read who has none. */
export interface Ticket {
  readonly id: string;
  readonly contentBytes: number;
}

export interface SealedRelay {
  readonly id: string;
  readonly ticket: string;
  readonly content: Buffer;
}

/** Clocks of a fleet may be this far apart; a ticket is not good for longer, either way. */
const maxAgeMs = 330_000;
/** Each is good once. Only tickets of the fleet's own are remembered, so nobody else can make one be forgotten. */
const maxRemembered = 100_000;
const lengthBytes = 4;

/**
 * What data planes say to each other about a caller's request, under a key that only the fleet has. It is sealed for the URL
 * it goes to: whoever answers there now, and whoever listens on the way, learns nothing from it and cannot use it elsewhere.
 */
export class PeerSeals {
  readonly #ring: KeyRing;
  readonly #ownUrl: () => string;
  /** Times by ticket, the oldest first. */
  readonly #used = new Map<string, number>();

  /** @param ownUrl the URL by which other data planes reach this one */
  constructor(ring: KeyRing, ownUrl: () => string) {
    this.#ring = ring;
    this.#ownUrl = ownUrl;
  }

  seal(peerUrl: string, { method, target, headers, body }: RelayedContent, now = Date.now()): SealedRelay {
    const id = randomUUID();
    const head = Buffer.from(JSON.stringify([method, target, headers]));
    const length = Buffer.alloc(lengthBytes);
    length.writeUInt32BE(head.length);
    const content = seal(this.#ring, contextOf('content', peerUrl, id), Buffer.concat([length, head, body]));
    const ticket = seal(this.#ring, contextOf('ticket', peerUrl), JSON.stringify([id, now, content.length]));
    return { id, ticket: ticket.toString('base64url'), content };
  }

  /** @returns `undefined` for a ticket that is not the fleet's, not for here, too old, or used */
  openTicket(text: string, now = Date.now()): Ticket | undefined {
    const opened = this.#open(contextOf('ticket', this.#ownUrl()), Buffer.from(text, 'base64url'));
    if (opened === undefined) return undefined;
    const [id, sealedAt, contentBytes] = JSON.parse(opened.toString()) as [string, number, number];
    if (Math.abs(now - sealedAt) > maxAgeMs || this.#used.has(id)) return undefined;
    this.#remember(id, now);
    return { id, contentBytes };
  }

  /** @returns `undefined` for a content that is not the ticket's */
  openContent({ id }: Ticket, sealed: Buffer): RelayedContent | undefined {
    const opened = this.#open(contextOf('content', this.#ownUrl(), id), sealed);
    if (opened === undefined) return undefined;
    const headEnd = lengthBytes + opened.readUInt32BE(0);
    const [method, target, headers] = JSON.parse(opened.toString('utf8', lengthBytes, headEnd)) as [string, string, string[]];
    return { method, target, headers, body: opened.subarray(headEnd) };
  }

  /** Goes with the answer: it is of one who could open the ticket. */
  prove({ id }: Ticket): string {
    return seal(this.#ring, contextOf('answer', this.#ownUrl(), id), '').toString('base64url');
  }

  isProof(peerUrl: string, { id }: SealedRelay, text: unknown): boolean {
    return typeof text === 'string' && this.#open(contextOf('answer', peerUrl, id), Buffer.from(text, 'base64url')) !== undefined;
  }

  #open(context: readonly string[], sealed: Buffer): Buffer | undefined {
    try {
      return unseal(this.#ring, context, sealed);
    } catch {
      return undefined;
    }
  }

  /** A ticket that is remembered for twice its age is too old by any clock. */
  #remember(id: string, now: number): void {
    for (const [used, usedAt] of this.#used) {
      if (this.#used.size < maxRemembered && now - usedAt <= 2 * maxAgeMs) break;
      this.#used.delete(used);
    }
    this.#used.set(id, now);
  }
}

const contextOf = (...parts: string[]): string[] => ['peer-relay', ...parts];
