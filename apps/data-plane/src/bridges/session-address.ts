import type { SealedSessions, SessionOwner } from '@gatehouse/mcp-protocol';

/** Where a bridge's session is: its id, and the URL of the data plane that holds it. */
export interface SessionAddress {
  readonly id: string;
  readonly peerUrl: string;
}

const purpose = 'bridge-session';
const parameter = 'gatehouse-session=';

/**
 * Names of bridges' sessions. They are sealed before the pipeline seals them as it does every upstream's session id: what an
 * upstream says can then never be taken for one, and no request ever goes to a URL that no data plane wrote.
 */
export class SessionAddresses {
  readonly #sessions: SealedSessions;
  readonly #ownUrl: () => string;

  /** @param ownUrl the URL by which other data planes reach this one */
  constructor(sessions: SealedSessions, ownUrl: () => string) {
    this.#sessions = sessions;
    this.#ownUrl = ownUrl;
  }

  /** The name of a session that is held here; letters, digits, `-` and `_`. */
  seal(owner: SessionOwner, id: string): string {
    return this.#sessions.seal(purpose, owner, JSON.stringify([id, this.#ownUrl()]));
  }

  /** @returns `undefined` for what is no such name: an upstream's own session id from when the server had another transport */
  open(owner: SessionOwner, name: string): SessionAddress | undefined {
    const opened = this.#sessions.open(purpose, owner, name);
    if (opened === undefined) return undefined;
    const [id, peerUrl] = JSON.parse(opened) as [string, string];
    return { id, peerUrl };
  }

  isHere({ peerUrl }: SessionAddress): boolean {
    return peerUrl === this.#ownUrl();
  }
}

/** A path with a session's name in it: what a legacy SSE stream's `endpoint` event says. */
export const addToPath = (path: string, name: string): string => `${path}${path.includes('?') ? '&' : '?'}${parameter}${name}`;

/** The path as it was before, with whatever query keys were added behind, and the name that was in it. */
export function takeFromPath(path: string): { readonly path: string; readonly name: string | undefined } {
  const [before = '', ...query] = path.split('?');
  const pairs = query.join('?').split('&');
  const pair = pairs.find((candidate) => candidate.startsWith(parameter));
  const rest = pairs.filter((candidate) => candidate !== pair && candidate !== '').join('&');
  return { path: rest === '' ? before : `${before}?${rest}`, name: pair?.slice(parameter.length) };
}
