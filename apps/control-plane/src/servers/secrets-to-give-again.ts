import type { Problem } from '@gatehouse/errors';
import type { StoredDocument } from './servers.store.ts';
import { type TokenClient, tokenClients } from './token-clients.ts';
import type { WrittenServerDocument } from './written-server.ts';

/** What is kept of a client’s secrets though its tokens come from elsewhere now: whoever writes the document need not have known it. */
export function secretsToGiveAgain(before: StoredDocument, { document, secrets }: Pick<WrittenServerDocument, 'document' | 'secrets'>): Problem[] {
  const [former, now] = [tokenClients(before), tokenClients(document)];
  return [...secrets.kept].flatMap((location) => {
    const client = ownerOf(location, now);
    const known = new Set(originsOf(ownerOf(location, former)));
    if (client === undefined || originsOf(client).every((origin) => known.has(origin))) return [];
    return [{ pointer: `${client.pointer}${location.slice(client.location.length)}`, detail: 'must be given again, because the token URL is of another origin', code: 'secret_of_another_origin' }];
  });
}

/** The longest, of those whose location it is under: a target's secrets are its own. */
const ownerOf = (location: string, clients: readonly TokenClient[]): TokenClient | undefined => clients.findLast((client) => location.startsWith(client.location));

const originsOf = (client: TokenClient | undefined): string[] => (client?.urls ?? []).map(({ url }) => new URL(url).origin);
