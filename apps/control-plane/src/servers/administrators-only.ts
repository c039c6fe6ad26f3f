import type { Problem } from '@gatehouse/errors';
import { canonicalJson } from '../audit/canonical-json.ts';
import { changedPointers } from '../audit/changed-pointers.ts';
import { namedCredentials } from '../credentials/named-credentials.ts';
import { isMoved } from './is-moved.ts';
import { lendsConnections } from './lends-connections.ts';
import { loginUses } from './login-uses.ts';
import type { StoredDocument } from './servers.store.ts';
import { signedIdentities } from './signed-identities.ts';

/**
 * What of a change only administrators may make: people have agreed at an app, or an administrator has for all of them, or they have
 * logged in or entered a credential of their own, and not for each server that these then go to; nor
 * does the gateway sign for everybody who says whose tokens a server takes. `before` is undefined for a server that is new.
 */
export function administratorsOnly(before: StoredDocument | undefined, after: StoredDocument): Problem[] {
  const [was, is] = [usesOf(before), usesOf(after)];
  const differs = (part: keyof Uses): boolean => changedPointers(was[part], is[part]).length > 0;
  const isTheirs = before !== undefined && [was, is].some(({ appAuth, outboundHeaders }) => appAuth !== undefined || outboundHeaders.length > 0);
  const goesElsewhere = isTheirs && isMoved(before, after);
  // It says who counts as whom: whose token is exchanged, whose name is signed, whose credential is sent.
  const isForOthers = isTheirs && changedPointers(agentAuthOf(before), agentAuthOf(after)).length > 0;
  return [
    ...(differs('appAuth') ? [forAdministrators('/appAuth')] : []),
    ...(differs('outboundHeaders') ? [forAdministrators('/outboundHeaders')] : []),
    ...(isForOthers ? [forAdministrators('/agentAuth')] : []),
    ...(goesElsewhere ? [forAdministrators('/upstream/url')] : []),
  ];
}

/** What a document says of what is other people's: their connections, tokens of their logins, credentials that they entered, the gateway's word for who they are. */
interface Uses {
  readonly appAuth: unknown;
  /** Wherever in the list they stand. */
  readonly outboundHeaders: readonly string[];
}

function usesOf(document: StoredDocument | undefined): Uses {
  const logins = loginUses(document);
  const entered = namedCredentials(document).filter(({ scope }) => scope === 'user').map(({ name }) => name);
  const exchanged = logins.filter(({ pointer }) => pointer !== '/appAuth').map(({ config }) => canonicalJson(config));
  const isTheirs = lendsConnections(document) || logins.length > exchanged.length;
  return { appAuth: isTheirs ? document?.['appAuth'] : undefined, outboundHeaders: [...entered, ...exchanged, ...signedIdentities(document).map(canonicalJson)].toSorted() };
}

/** Before a change it may have been anything. */
const agentAuthOf = (document: StoredDocument | null): unknown => document?.['agentAuth'];

const forAdministrators = (pointer: string): Problem => ({ pointer, detail: 'is for administrators to say where connections, credentials and identities of other people are used', code: 'administrator_required' });
