import type { StoredDocument } from './servers.store.ts';

interface Connecting {
  readonly appAuth?: { readonly type?: unknown; readonly app?: unknown; readonly shared?: unknown } | null;
}

/** Whether a server sends its upstream the tokens of connections that were made elsewhere, or for everyone: not those made at itself. */
export function lendsConnections(document: StoredDocument | null | undefined): boolean {
  const appAuth = (document as Connecting | null | undefined)?.appAuth;
  return appAuth?.type === 'oauth-authorization-code' && (appAuth.app !== undefined || appAuth.shared === true);
}
