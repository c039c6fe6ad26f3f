import type { AddressGuard } from '@gatehouse/egress';
import type { Problem } from '@gatehouse/errors';
import { httpsRequired, isPlain, mayBePlain } from '../apps/insecure-urls.ts';

interface Sent {
  readonly appAuth?: { readonly tokenUrl?: unknown } | null;
}

/** Client secrets travel over TLS, as those of apps do. Of a document as it was sent: names are looked up before the transaction that reads it. */
export async function plainTokenUrl(sent: unknown, guard: AddressGuard): Promise<Problem[]> {
  const tokenUrl = (sent as Sent | null | undefined)?.appAuth?.tokenUrl;
  if (typeof tokenUrl !== 'string' || !isPlain(tokenUrl) || (await mayBePlain(tokenUrl, guard))) return [];
  return [{ pointer: '/appAuth/tokenUrl', ...httpsRequired }];
}
