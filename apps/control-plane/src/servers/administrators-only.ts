import type { Problem } from '@gatehouse/errors';
import { changedPointers } from '../audit/changed-pointers.ts';
import { lendsConnections } from './lends-connections.ts';
import type { StoredDocument } from './servers.store.ts';
import { originOf } from './upstream-origin.ts';

/**
 * What of a change only administrators may make: people have agreed at an app, or an administrator has for all of them, and not at each
 * server that the tokens then go to. `before` is undefined for a server that is new.
 */
export function administratorsOnly(before: StoredDocument | undefined, after: StoredDocument): Problem[] {
  if (!lendsConnections(before) && !lendsConnections(after)) return [];
  const isOtherAuth = changedPointers(appAuthOf(before), appAuthOf(after)).length > 0;
  const isMoved = before !== undefined && originOf(before) !== originOf(after);
  return [...(isOtherAuth ? [forAdministrators('/appAuth')] : []), ...(isMoved ? [forAdministrators('/upstream/url')] : [])];
}

// Before the change it may have been anything.
const appAuthOf = (document: StoredDocument | null | undefined): unknown => document?.['appAuth'];

const forAdministrators = (pointer: string): Problem => ({ pointer, detail: 'is for administrators to say where connections that others have made are used', code: 'administrator_required' });
