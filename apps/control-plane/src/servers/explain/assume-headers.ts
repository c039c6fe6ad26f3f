import type { CallerHeaders } from '@gatehouse/upstream-request';
import type { GivenRequest } from './given-request.ts';

export interface AssumedHeaders {
  readonly headers: CallerHeaders;
  /** What was not given, and is taken as an MCP client sends it. */
  readonly assumed: readonly { readonly name: string; readonly value: string }[];
}

/** What every MCP client sends and people leave out when they ask about other headers. Nothing that was given is changed. */
export function assumeHeaders({ method, rows, ownAccept }: GivenRequest, read: CallerHeaders): AssumedHeaders {
  const isGiven = (name: string): boolean => rows.some((row, index) => index % 2 === 0 && row.toLowerCase() === name);
  const accept = ownAccept ?? (method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream');
  const assumed = [
    ...(method === 'POST' && !isGiven('content-type') ? [{ name: 'content-type', value: 'application/json' }] : []),
    ...(isGiven('accept') ? [] : [{ name: 'accept', value: accept }]),
  ];
  const valueOf = (name: string): string | undefined => assumed.find((header) => header.name === name)?.value;
  return { headers: { ...read, contentType: read.contentType ?? valueOf('content-type'), accept: read.accept ?? valueOf('accept') }, assumed };
}
