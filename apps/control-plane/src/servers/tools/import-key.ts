import { hash } from 'node:crypto';
import { canonicalJson } from '../../audit/canonical-json.ts';
import { isApi, toolsOf } from './complete-tools.ts';
import type { StoredDocument } from '../servers.store.ts';

/** What an API's tools are imported from, and how; undefined where there is nothing to import. A document with the same one has the same tools until somebody imports them again. */
export function importKeyOf(document: StoredDocument): string | undefined {
  if (!isApi(document)) return undefined;
  const { edits: _, ...source } = toolsOf(document);
  const asked = introspects(document) ? (document['upstream'] as { url: string }).url : undefined;
  return hash('sha256', canonicalJson({ source, asked }), 'base64url');
}

/** Whether the upstream itself is asked for its schema. */
export function introspects(document: StoredDocument): boolean {
  const { graphql } = toolsOf(document);
  return graphql !== undefined && graphql.url === undefined && graphql.schema === undefined;
}
