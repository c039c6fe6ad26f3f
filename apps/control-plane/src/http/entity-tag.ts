import { GatewayError } from '@gatehouse/errors';

/** The ETag of a document: revisions are never given twice. */
export const entityTag = (revision: number): string => `"${revision}"`;

/**
 * RFC 9110 section 13.1.1.
 * @throws GatewayError precondition_required without If-Match, precondition_failed when the document is another by now
 */
export function requireMatch(ifMatch: string | undefined, revision: number): void {
  if (ifMatch === undefined) throw new GatewayError('precondition_required');
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (!tags.includes('*') && !tags.includes(entityTag(revision))) throw new GatewayError('precondition_failed');
}
