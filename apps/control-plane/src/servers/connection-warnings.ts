import type { ReadableServer, UpstreamServerDocument, Warning } from '@gatehouse/gateway-config';
import type { CallerIssuers } from '../connections/broker/caller-issuers.service.ts';
import { issuedTokens } from '../connections/broker/issued-tokens.ts';
import { namedCredentials } from '../credentials/named-credentials.ts';
import type { StoredDocument } from './servers.store.ts';
import type { Surroundings } from './surroundings.ts';

type ConnectingDocument = Partial<Pick<UpstreamServerDocument, 'agentAuth' | 'appAuth'>>;

/** The organisation's own account, for every caller. */
export function hasSharedConnection(document: StoredDocument): boolean {
  const { appAuth } = document as ConnectingDocument;
  return appAuth?.type === 'oauth-authorization-code' && appAuth.shared === true;
}

/** Connections that nobody can make. */
export function connectionWarnings(document: StoredDocument, { apps, issuers }: Pick<Surroundings, 'apps' | 'issuers'>): Warning[] {
  const { appAuth } = document as ConnectingDocument;
  if (appAuth?.type !== 'oauth-authorization-code') return [];
  const isUnknown = appAuth.app !== undefined && !apps.includes(appAuth.app);
  return [
    ...(isUnknown ? [{ code: 'app_not_found', pointer: '/appAuth/app', detail: 'There is no app of this name in the workspace: calls fail until there is.' }] : []),
    ...(appAuth.shared === true ? [] : personWarnings(document, issuers, '/appAuth')),
  ];
}

/** Where nobody who calls is a person of the gateway's. `pointer` is to what needs one. */
export function personWarnings(document: StoredDocument, issuers: readonly string[], pointer: string): Warning[] {
  const { agentAuth } = document as ConnectingDocument;
  if (agentAuth === undefined || agentAuth.type === 'interactive') return [];
  if (agentAuth.type === 'api-key' || agentAuth.jwt === undefined) return [{ ...noPerson, pointer }];
  return issuedTokens(agentAuth)?.issuers.some((issuer) => issuers.includes(issuer)) === true ? [] : [unprovenPerson];
}

const noPerson: Omit<Warning, 'pointer'> = {
  code: 'connection_needs_person',
  detail: 'No caller of this server is a person, so that nobody can connect: choose another agentAuth, or what all callers use together.',
};

const unprovenPerson: Warning = {
  code: 'connection_needs_person', pointer: '/agentAuth/jwt',
  detail: 'Nobody can connect: tokens prove who somebody is with the issuer of a registered identity provider, the jwksUrl that it publishes, and an audience. Or set shared: true for one connection of all.',
};

/** A server with that warning if the providers of its issuers publish other keys. One that cannot be asked now may publish these. */
export async function withIssuerWarnings(server: ReadableServer, callers: CallerIssuers): Promise<ReadableServer> {
  if (server.type === 'virtual') return server;
  const { agentAuth, appAuth, warnings } = server;
  const isOfPeople = (appAuth.type === 'oauth-authorization-code' && appAuth.shared !== true) || namedCredentials(server).some(({ scope }) => scope === 'user');
  if (!isOfPeople || warnings.some(({ code }) => code === unprovenPerson.code)) return server;
  const known = await Promise.all((issuedTokens(agentAuth)?.issuers ?? []).map((issuer) => callers.knows(agentAuth, issuer).catch(() => true)));
  return known.length === 0 || known.includes(true) ? server : { ...server, warnings: [...warnings, unprovenPerson] };
}
