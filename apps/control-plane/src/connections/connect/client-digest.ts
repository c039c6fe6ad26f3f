import { createHash } from 'node:crypto';
import type { ResolvedApp } from '@gatehouse/app-catalog';

/** Which client at which provider an authorization was begun for: its code, its verifier and the client's secret go nowhere else. */
export function clientDigest({ clientId, tokenUrl, refreshUrl, authorizationUrl }: ResolvedApp): string {
  return createHash('sha256').update(JSON.stringify([clientId, tokenUrl, refreshUrl, authorizationUrl])).digest('base64url');
}
