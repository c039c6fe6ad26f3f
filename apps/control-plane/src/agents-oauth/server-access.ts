import { type Access, AccessRules } from '@gatehouse/gateway-config';
import type { Person } from '../identity/person.ts';

/** Whether a person may use a server at all. Data planes ask the same rules again at each call. */
export const mayUse = (access: Access | undefined, { id, name, email, groups }: Person): boolean =>
  new AccessRules(access?.allow).admits({ id: `person:${id}`, kind: 'person', name, groups, subject: id, ...(email !== undefined && { email }) });

/** Groups that a server's access rules name. */
export const groupsNamedBy = (access: Access | undefined): ReadonlySet<string> => new Set((access?.allow ?? []).flatMap(({ group }) => group ?? []));
