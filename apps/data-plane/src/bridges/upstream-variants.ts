import type { UpstreamRequest } from '../pipeline/request.ts';

/*
 * In the place of the request that the pipeline made, a bridge sends another one with its headers, while the caller waits for it:
 * whatever it carries, credentials included, goes to the same upstream, and nowhere later.
 */

/** A request for a stream that stays open; silent for as long as it likes. */
export const toListen = (outgoing: UpstreamRequest): UpstreamRequest => ({
  ...outgoing,
  method: 'GET',
  body: undefined,
  listens: true,
  headers: changeHeaders(outgoing.headers, { accept: 'text/event-stream', 'content-type': undefined }),
  idleTimeoutMs: 0,
});

/** The same request to another path, with its query keys. */
export const toPath = (outgoing: UpstreamRequest, path: string): UpstreamRequest => ({ ...outgoing, path: outgoing.withCredentials?.(path) ?? path });

/** By lower-case name; `undefined` removes. */
export type HeaderChanges = Readonly<Record<string, string | undefined>>;

export function changeHeaders(headers: readonly string[], changes: HeaderChanges): string[] {
  const changed: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!Object.hasOwn(changes, name.toLowerCase())) changed.push(name, headers[index + 1] as string);
  }
  for (const [name, value] of Object.entries(changes)) {
    // Some are the upstream's own words: what no header can hold is not sent back.
    if (value !== undefined && fitsHeader(value)) changed.push(name, value);
  }
  return changed;
}

export const fitsHeader = (value: string): boolean => /^[\x20-\x7e]*$/.test(value);
