import { pointerOf } from '@gatehouse/errors';
import type { AccessEntry, ServerDocument, Warning } from '@gatehouse/gateway-config';
import type { StoredDocument } from './servers.store.ts';
import type { Surroundings } from './surroundings.ts';

type AccessDocument = Partial<Pick<ServerDocument, 'access' | 'agentAuth'>>;

/** What access rules do not do although they seem to, and whom they let in that nobody may have thought of. */
export function accessWarnings(document: StoredDocument, surroundings: Surroundings): Warning[] {
  const { access, agentAuth } = document as AccessDocument;
  const allow = access?.allow ?? [];
  const isInteractive = agentAuth?.type === 'interactive';
  const wanted = isInteractive ? agentAuth.identityProvider : undefined;
  const ofEntries = isInteractive ? entryWarnings(allow, wanted === undefined ? surroundings.identityProviders : [wanted]) : [];
  return [...strangerWarnings(agentAuth, allow), ...ofEntries, ...providerWarnings(wanted, surroundings), ...workspaceWarnings(document, surroundings)];
}

/**
 * Of entries that name people, where those log in at these providers. A group or an address is what a provider says it is: with
 * several, the one that was not meant says it too.
 */
export function entryWarnings(allow: readonly AccessEntry[], providers: readonly string[]): Warning[] {
  return allow.flatMap(({ group, user, identityProvider }, index): Warning[] => {
    const pointer = pointerOf(['access', 'allow', index]);
    if (identityProvider !== undefined && identityProvider !== localAccounts && !providers.includes(identityProvider)) {
      return [{ code: 'access_matches_nobody', pointer: `${pointer}/identityProvider`, detail: 'This lets nobody in: people do not log in there.' }];
    }
    const isSaidByProvider = group !== undefined || user?.includes('@') === true;
    if (identityProvider !== undefined || !isSaidByProvider || providers.length < 2) return [];
    return [{ code: 'access_of_any_provider', pointer, detail: `Any of ${providers.length} identity providers can say that someone is this: name the one in identityProvider.` }];
  });
}

const localAccounts = 'local';

/** Who may call, although no caller of this server is ever such a one: the way they authenticate knows no other. */
function strangerWarnings(agentAuth: AccessDocument['agentAuth'], allow: readonly AccessEntry[]): Warning[] {
  const [stranger, why] = agentAuth?.type === 'api-key' ? (['user', 'callers with a key are service accounts'] as const) : (['serviceAccount', 'service accounts cannot authenticate at this server'] as const);
  return allow.flatMap((entry, index): Warning[] => {
    if (entry[stranger] !== undefined) return [nobody(['access', 'allow', index, stranger], why)];
    return entry.identityProvider === undefined || agentAuth?.type === 'interactive' ? [] : [nobody(['access', 'allow', index, 'identityProvider'], 'callers of this server do not log in at a provider')];
  });
}

function providerWarnings(wanted: string | undefined, { identityProviders }: Surroundings): Warning[] {
  if (wanted === undefined || wanted === localAccounts || identityProviders.includes(wanted)) return [];
  return [{ code: 'identity_provider_unknown', pointer: '/agentAuth/identityProvider', detail: 'Nobody can log in: there is no identity provider of this name, or it is switched off.' }];
}

function workspaceWarnings(document: StoredDocument, { workspaceAccess, hasOtherWorkspaces }: Surroundings): Warning[] {
  const { access, agentAuth } = document as AccessDocument;
  if (workspaceAccess === null) {
    if (agentAuth?.type !== 'interactive' || access?.allow !== undefined || !hasOtherWorkspaces) return [];
    return [{ code: 'workspace_open', pointer: '', detail: 'Everyone who can log in may call, of other workspaces too: neither this server nor its workspace says who may.' }];
  }
  const isUnchecked = agentAuth?.type === 'passthrough' && agentAuth.jwt === undefined;
  return isUnchecked ? [nobody(['agentAuth'], 'the workspace says who belongs to it, and nobody is known here')] : [];
}

const nobody = (path: readonly PropertyKey[], why: string): Warning => ({ code: 'access_matches_nobody', pointer: pointerOf(path), detail: `This lets nobody in: ${why}.` });
