import type { AddressGuard } from '@gatehouse/egress';
import type { Problem } from '@gatehouse/errors';
import { httpsRequired, isPlain, mayBePlain } from '../apps/insecure-urls.ts';
import { tokenClients } from './token-clients.ts';

/** Client secrets travel over TLS, as those of apps do, and so do the tokens that are exchanged. Of a document as it was sent: names are looked up before the transaction that reads it. */
export async function plainTokenUrl(sent: unknown, guard: AddressGuard): Promise<Problem[]> {
  const plain = tokenClients(sent).flatMap(({ urls }) => urls).filter(({ url }) => isPlain(url));
  const problems: Problem[] = [];
  for (const [pointer, url] of new Map(plain.map((found) => [found.pointer, found.url]))) {
    if (!(await mayBePlain(url, guard))) problems.push({ pointer, ...httpsRequired });
  }
  return problems;
}
