import { AccessRules, WorkspaceMembers } from '@gatehouse/gateway-config';
import type { Person } from '../identity/person.ts';
import type { ResourceServer } from './resource-servers.ts';

type ServerAccess = Pick<ResourceServer, 'access' | 'workspaceAccess'>;

/** Whether a person may use a server at all: they belong to its workspace, and its own rules let them in. Data planes ask the same again at each call. */
export function mayUse({ access, workspaceAccess }: ServerAccess, { id, name, email, groups, provider }: Person): boolean {
  const caller = { id: `person:${id}`, kind: 'person', name, groups, subject: id, identityProvider: provider, ...(email !== undefined && { email }) } as const;
  return new WorkspaceMembers(workspaceAccess).includes(caller) && new AccessRules(access?.allow).admits(caller);
}

/** Groups that the rules name. */
export const groupsNamedBy = (server: ServerAccess | undefined): ReadonlySet<string> =>
  new Set([...(server?.workspaceAccess?.allow ?? []), ...(server?.access?.allow ?? [])].flatMap(({ group }) => group ?? []));
