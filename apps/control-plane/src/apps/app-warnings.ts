import type { Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from '../servers/servers.store.ts';
import type { Catalog } from './catalog.ts';

const warning = (code: string, pointer: string, detail: string): Warning => ({ code, pointer, detail });

/** What is allowed and yet worth a second look; with every reading. */
export function standingWarnings(document: StoredDocument, hasSecret: boolean, catalog: Catalog): Warning[] {
  const { provider, scopes, pkce, clientAuth } = document as { provider?: string; scopes?: readonly string[]; pkce?: boolean; clientAuth?: string };
  const off = pkce === false ? [warning('pkce_off', '/pkce', 'A code that somebody else gets hold of can be put into a connection of theirs (RFC 9700 section 2.1.1).')] : [];
  if (provider === undefined) return off;
  const entry = catalog.get(provider);
  // Stored by another release, which knew it.
  if (!entry) return [...off, warning('unknown_provider', '/provider', 'The catalogue of this release has no such provider: nobody can connect.')];
  const isConfidential = !entry.clientAuth.includes('none') && clientAuth !== 'none';
  const secret = isConfidential && !hasSecret ? [warning('client_secret_missing', '/clientSecret', `${entry.title} gives tokens only to clients that prove who they are: nobody can connect.`)] : [];
  const known = new Set(entry.scopes.known);
  const unknown = (scopes ?? []).flatMap((scope, index) => (entry.scopes.complete && !known.has(scope) ? [warning('unknown_scope', `/scopes/${index}`, `The catalogue knows no such scope of ${entry.title}.`)] : []));
  return [...off, ...secret, ...unknown];
}

interface Former {
  readonly name: string;
  readonly tokenUrl: string | undefined;
}

/** What this one change did that may not have been meant. */
export function changeWarnings(before: Former, after: Former, isSecretKept: boolean): Warning[] {
  const renamed = before.name !== after.name && warning('redirect_uri_changed', '/name', 'The redirect URI has the name in it: register the new one at the provider.');
  const followed =
    before.tokenUrl !== after.tokenUrl && isSecretKept && warning('secret_follows_new_url', '/clientSecret', 'The secret stored for the former provider is now sent to this one.');
  return [renamed, followed].filter((item) => item !== false);
}
