import { type KeyRing, seal, unseal } from '@gatehouse/sealing';

/** For whom a session was opened. It opens for nobody else: these are the seal's associated data. */
export interface SessionOwner {
  readonly workspace: string;
  readonly serverId: string;
  readonly upstreamUrl: string;
  readonly callerId: string;
}

interface Opened {
  readonly owner: string;
  readonly value: string;
  readonly expiresAt: number;
}

const maxRemembered = 20_000;
/** Longer than any that is made: an upstream's own id has to fit into a header. */
const maxIdLength = 16_384;

/**
 * Session ids that any replica can open and nobody can forge: the upstream's session id and an expiry, sealed for the
 * caller and the server it was opened for. Sessions never authenticate; they only name the upstream's session.
 */
export class SealedSessions {
  readonly #ring: KeyRing;
  readonly #lifeMs: number;
  readonly #remembered = new Map<string, Opened>();

  constructor(ring: KeyRing, lifeMs: number) {
    this.#ring = ring;
    this.#lifeMs = lifeMs;
  }

  /** @param purpose keeps ids made for different uses apart */
  seal(purpose: string, owner: SessionOwner, value: string, now = Date.now()): string {
    const payload = JSON.stringify([now + this.#lifeMs, value]);
    return seal(this.#ring, contextOf(purpose, owner), payload).toString('base64url');
  }

  /** @returns what was sealed, or `undefined` for an id that is another's, broken or expired. */
  open(purpose: string, owner: SessionOwner, id: string, now = Date.now()): string | undefined {
    const ownerKey = contextOf(purpose, owner).join('\0');
    const opened = this.#remembered.get(id) ?? this.#unseal(purpose, owner, ownerKey, id);
    if (opened?.owner !== ownerKey || opened.expiresAt <= now) return undefined;
    return opened.value;
  }

  #unseal(purpose: string, owner: SessionOwner, ownerKey: string, id: string): Opened | undefined {
    if (id.length > maxIdLength) return undefined;
    try {
      const sealed = Buffer.from(id, 'base64url');
      // One spelling each: decoding skips what is not base64url, and every other spelling would be remembered as another id.
      if (sealed.toString('base64url') !== id) return undefined;
      const payload = unseal(this.#ring, contextOf(purpose, owner), sealed).toString('utf8');
      const [expiresAt, value] = JSON.parse(payload) as [number, string];
      const opened = { owner: ownerKey, value, expiresAt };
      this.#remember(id, opened);
      return opened;
    } catch {
      return undefined;
    }
  }

  #remember(id: string, opened: Opened): void {
    if (this.#remembered.size >= maxRemembered) {
      const oldest = this.#remembered.keys().next();
      if (!oldest.done) this.#remembered.delete(oldest.value);
    }
    this.#remembered.set(id, opened);
  }
}

const contextOf = (purpose: string, owner: SessionOwner): string[] => [purpose, owner.workspace, owner.serverId, owner.upstreamUrl, owner.callerId];
