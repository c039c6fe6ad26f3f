import type { Problem } from '@gatehouse/errors';
import { changedPointers } from '../audit/changed-pointers.ts';
import { namedCredentials } from '../credentials/named-credentials.ts';
import { lendsConnections } from './lends-connections.ts';
import type { StoredDocument } from './servers.store.ts';
import { originOf } from './upstream-origin.ts';

/**
 * What of a change only administrators may make: people have agreed at an app, or an administrator has for all of them, or they have
 * entered a credential of their own, and not at each server that these then go to. `before` is undefined for a server that is new.
 */
export function administratorsOnly(before: StoredDocument | undefined, after: StoredDocument): Problem[] {
  const isLent = lendsConnections(before) || lendsConnections(after);
  const isOtherAuth = isLent && changedPointers(appAuthOf(before), appAuthOf(after)).length > 0;
  const [sentBefore, sentAfter] = [userCredentialsOf(before), userCredentialsOf(after)];
  const isOtherCredential = changedPointers(sentBefore, sentAfter).length > 0;
  const isMoved = (isLent || sentBefore.length + sentAfter.length > 0) && before !== undefined && originOf(before) !== originOf(after);
  return [
    ...(isOtherAuth ? [forAdministrators('/appAuth')] : []),
    ...(isOtherCredential ? [forAdministrators('/outboundHeaders')] : []),
    ...(isMoved ? [forAdministrators('/upstream/url')] : []),
  ];
}

/** Names of what people entered, wherever in the list they stand. */
const userCredentialsOf = (document: StoredDocument | undefined): string[] => namedCredentials(document).filter(({ scope }) => scope === 'user').map(({ name }) => name).toSorted();

// Before the change it may have been anything.
const appAuthOf = (document: StoredDocument | null | undefined): unknown => document?.['appAuth'];

const forAdministrators = (pointer: string): Problem => ({ pointer, detail: 'is for administrators to say where connections and credentials of other people are used', code: 'administrator_required' });
