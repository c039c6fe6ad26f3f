import { GatewayError } from '@gatehouse/errors';

/** What an ETag is made of. */
export interface Versioned {
  readonly revision: number;
  /** Nothing, where nothing is stored yet. */
  readonly updatedAt?: Date | string | undefined;
}

/** The time is in it because a database restored from a backup gives the same revisions again, to other changes. */
export function entityTag({ revision, updatedAt }: Versioned): string {
  if (updatedAt === undefined) return `"${revision}"`;
  return `"${revision}-${new Date(updatedAt).getTime().toString(36)}"`;
}

/**
 * RFC 9110 section 13.1.1.
 * @throws GatewayError precondition_required without If-Match, precondition_failed when the document is another by now
 */
export function requireMatch(ifMatch: string | undefined, current: Versioned): void {
  if (ifMatch === undefined) throw new GatewayError('precondition_required');
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (!tags.includes('*') && !tags.includes(entityTag(current))) throw new GatewayError('precondition_failed');
}
