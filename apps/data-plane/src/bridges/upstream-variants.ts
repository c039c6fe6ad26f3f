import type { UpstreamRequest } from '../pipeline/request.ts';

/*
 * A bridge sends other requests than the one the pipeline made, with the headers of that one: whatever it carries, credentials
 * included, goes to the same upstream.
 */

/** A request for a stream that stays open; silent for as long as it likes. */
export const toListen = (outgoing: UpstreamRequest, changes: HeaderChanges = {}): UpstreamRequest => ({
  ...outgoing,
  method: 'GET',
  body: undefined,
  headers: changeHeaders(outgoing.headers, { accept: 'text/event-stream', 'content-type': undefined, ...changes }),
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
    if (value !== undefined && /^[\x20-\x7e]*$/.test(value)) changed.push(name, value);
  }
  return changed;
}
