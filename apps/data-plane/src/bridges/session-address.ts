/*
 * The name of a bridge's session: its id and the URL of the data plane that holds it. Callers get it sealed only, as they get
 * every session id: the URL in it is therefore one that a data plane wrote.
 */

export interface SessionAddress {
  readonly id: string;
  readonly peerUrl: string;
}

const shape = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]+)$/;
const parameter = 'gatehouse-session=';

export const formatAddress = ({ id, peerUrl }: SessionAddress): string => `${id}.${Buffer.from(peerUrl).toString('base64url')}`;

/** @returns `undefined` for what is no address: an upstream's own session id from when the server had another transport */
export function parseAddress(text: string): SessionAddress | undefined {
  const [, id, peer] = shape.exec(text) ?? [];
  return id === undefined || peer === undefined ? undefined : { id, peerUrl: Buffer.from(peer, 'base64url').toString() };
}

/** A path with the session in it: what a legacy SSE stream's `endpoint` event names. */
export const addToPath = (path: string, address: SessionAddress): string => `${path}${path.includes('?') ? '&' : '?'}${parameter}${formatAddress(address)}`;

/** The path as it was before, with whatever query keys were added behind, and the session that was in it. */
export function takeFromPath(path: string): { path: string; address: SessionAddress | undefined } {
  const [before = '', ...query] = path.split('?');
  const pairs = query.join('?').split('&');
  const pair = pairs.find((candidate) => candidate.startsWith(parameter));
  const rest = pairs.filter((candidate) => candidate !== pair && candidate !== '').join('&');
  return { path: rest === '' ? before : `${before}?${rest}`, address: pair === undefined ? undefined : parseAddress(pair.slice(parameter.length)) };
}
