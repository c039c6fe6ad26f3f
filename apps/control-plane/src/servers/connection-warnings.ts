import type { ServerDocument, Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from './servers.store.ts';
import type { Surroundings } from './surroundings.ts';

type ConnectingDocument = Partial<Pick<ServerDocument, 'agentAuth' | 'appAuth'>>;

/** The organisation's own account, for every caller. */
export function hasSharedConnection(document: StoredDocument): boolean {
  const { appAuth } = document as ConnectingDocument;
  return appAuth?.type === 'oauth-authorization-code' && appAuth.shared === true;
}

/** Connections that nobody can make. */
export function connectionWarnings(document: StoredDocument, { apps }: Pick<Surroundings, 'apps'>): Warning[] {
  const { agentAuth, appAuth } = document as ConnectingDocument;
  if (appAuth?.type !== 'oauth-authorization-code') return [];
  const isUnknown = appAuth.app !== undefined && !apps.includes(appAuth.app);
  const isNobody = agentAuth?.type === 'api-key' || (agentAuth?.type === 'passthrough' && agentAuth.jwt === undefined);
  return [
    ...(isUnknown ? [{ code: 'app_not_found', pointer: '/appAuth/app', detail: 'There is no app of this name in the workspace: calls fail until there is.' }] : []),
    ...(isNobody && appAuth.shared !== true
      ? [{ code: 'connection_needs_person', pointer: '/appAuth', detail: 'No caller of this server is a person, so that nobody can connect: choose another agentAuth, or shared: true for one connection of all.' }]
      : []),
  ];
}
