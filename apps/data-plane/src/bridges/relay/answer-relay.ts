import type { IncomingRequest, Reply } from '../../pipeline/request.ts';
import type { PeerSeals, Ticket } from './peer-seals.ts';
import { RelayedRequest } from './relayed-request.ts';

/** Where data planes post to each other, on their public port. To everyone else there is nothing. */
export const relayPath = '/.gatehouse/relay';
/** Carries the ticket one way, and the proof the other. */
export const relayHeader = 'x-gatehouse-relay';

type Handle = (request: IncomingRequest) => Promise<Reply>;

/**
 * Takes a request that another data plane passes on: it goes through the whole pipeline, from the first line, as if its caller
 * had sent it here. Anything else is left to the pipeline as it is, where no server has this path.
 */
export async function answerRelay(seals: PeerSeals, request: IncomingRequest, handle: Handle): Promise<Reply> {
  const text = headerOf(request, relayHeader);
  // What strangers post is not read.
  const ticket = text === undefined ? undefined : seals.openTicket(text);
  const relayed = ticket && (await readRelayed(seals, ticket, request));
  if (ticket === undefined || relayed === undefined) return handle(request);
  const reply = await handle(relayed);
  return { ...reply, headers: [...reply.headers, relayHeader, seals.prove(ticket)] };
}

export const isRelay = ({ target }: IncomingRequest): boolean => target === relayPath;

async function readRelayed(seals: PeerSeals, ticket: Ticket, request: IncomingRequest): Promise<RelayedRequest | undefined> {
  // Larger than was announced, or broken off: not what the other data plane sent.
  const sealed = await request.readBody(ticket.contentBytes).catch(() => undefined);
  const content = sealed && seals.openContent(ticket, sealed);
  return content && new RelayedRequest(content, request);
}

function headerOf({ headers }: IncomingRequest, name: string): string | undefined {
  const at = headers.findIndex((candidate, index) => index % 2 === 0 && candidate.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
}
