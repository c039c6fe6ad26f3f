import type { AgentAuth, Caller } from '@gatehouse/agent-auth';
import { slug } from '@gatehouse/config-fields';
import { z } from 'zod';

const maxEntries = 1_000;
const maxPatterns = 200;

const text = (title: string, maxLength: number) =>
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  z.string().min(1, 'must not be empty').max(maxLength).regex(/^[^\x00-\x1f\x7f]+$/, 'must not have control characters').meta({ title });

const ofPeople = {
  group: text('Group', 256).optional(),
  user: text('User', 320).optional().meta({ description: 'An email address, in any case, or a person’s id.' }),
  identityProvider: slug('Identity provider').optional().meta({ description: 'Whose word the group or the address has to be; local for accounts of the gateway itself. Any provider’s when absent.' }),
};

const entry = z
  .strictObject({ ...ofPeople, serviceAccount: slug('Service account').optional() })
  .superRefine(({ identityProvider, ...who }, context) => {
    if (countOf(who) !== 1) context.addIssue({ code: 'custom', message: 'must have exactly one of group, user and serviceAccount' });
    if (identityProvider !== undefined && who.serviceAccount !== undefined) context.addIssue({ code: 'custom', path: ['identityProvider'], message: 'goes with group and user: service accounts log in at no provider' });
  })
  .meta({ minProperties: 1, maxProperties: 2 });

const memberEntry = z
  .strictObject(ofPeople)
  .superRefine(({ group, user }, context) => {
    if (countOf({ group, user }) !== 1) context.addIssue({ code: 'custom', message: 'must have exactly one of group and user' });
  })
  .meta({ minProperties: 1, maxProperties: 2 });

const countOf = (fields: object): number => Object.values(fields).filter((value) => value !== undefined).length;

export type AccessEntry = z.output<typeof entry>;

/** Other globs have more signs; in a rule of what must not be called, one that does nothing would be a hole. */
export const pattern = text('Pattern', 256).regex(/^[^?[\]{}]+$/, 'has a sign that stands for nothing here: only * does, for any characters');
export const toolPatterns = (title: string, whatElse: string) => z.array(pattern).min(1, `must not be empty: leave it out ${whatElse}`).max(maxPatterns).meta({ title });

export const access = z
  .strictObject({
    allow: z.array(entry).min(1, 'must not be empty: leave it out for everyone, or set enabled to false').max(maxEntries).optional().meta({ title: 'Who may call', description: 'Everyone of the workspace when absent.' }),
    tools: z
      .strictObject({
        allow: toolPatterns('Tools that may be called', 'for all tools').optional(),
        deny: toolPatterns('Tools that may not', 'for none').optional(),
      })
      .optional()
      .meta({ title: 'Tools', description: 'By name, with its case; * stands for any characters. What is denied may not be called even where it is allowed.' }),
  })
  .meta({ id: 'Access', title: 'Access' });

export type Access = z.output<typeof access>;

/** Who belongs to a workspace. Its service accounts do anyway: they are made in it. */
export const workspaceAccess = z
  .strictObject({ allow: z.array(memberEntry).min(1, 'must not be empty: leave access out for everyone who can log in').max(maxEntries).meta({ title: 'Who belongs to it' }) })
  .meta({ id: 'WorkspaceAccess', title: 'Access', description: 'Whose servers these are. Everyone who can log in when absent. Who may call a server is who belongs to its workspace and whom the server allows.' });

export type WorkspaceAccess = z.output<typeof workspaceAccess>;

/** Nobody can be told from anybody else where nothing is checked. */
export function checkAccess({ agentAuth, access: rules }: { agentAuth: AgentAuth; access?: Access | undefined }, context: z.RefinementCtx): void {
  if (rules?.allow === undefined || agentAuth.type !== 'passthrough' || agentAuth.jwt !== undefined) return;
  context.addIssue({ code: 'custom', path: ['access', 'allow'], message: 'needs callers that are known: agentAuth passthrough knows them with jwt only' });
}

/** Who may call a server; compiled once per revision. */
export class AccessRules {
  /** Of the entries without a provider under `undefined`. */
  readonly #allow: ReadonlyMap<string | undefined, Allowed> | undefined;

  constructor(allow: readonly AccessEntry[] | undefined) {
    if (allow === undefined) return;
    const byProvider = Map.groupBy(allow, ({ identityProvider }) => identityProvider);
    this.#allow = new Map([...byProvider].map(([provider, entries]) => [provider, allowedOf(entries)]));
  }

  admits(caller: Caller): boolean {
    if (this.#allow === undefined) return true;
    const { identityProvider } = caller;
    return isNamed(caller, this.#allow.get(undefined)) || (identityProvider !== undefined && isNamed(caller, this.#allow.get(identityProvider)));
  }
}

/** Who belongs to a workspace; compiled once per revision. */
export class WorkspaceMembers {
  readonly #rules: AccessRules;

  constructor(access: WorkspaceAccess | undefined) {
    this.#rules = new AccessRules(access?.allow);
  }

  includes(caller: Caller): boolean {
    return caller.kind === 'service-account' || this.#rules.admits(caller);
  }
}

function isNamed({ kind, name, groups, subject, email }: Caller, allowed: Allowed | undefined): boolean {
  if (allowed === undefined) return false;
  if (kind === 'service-account' && allowed.serviceAccounts.has(name)) return true;
  if (groups.some((group) => allowed.groups.has(group))) return true;
  if (subject !== undefined && allowed.users.has(subject)) return true;
  return email !== undefined && allowed.emails.has(withoutCase(email));
}

interface Allowed {
  readonly groups: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
  readonly emails: ReadonlySet<string>;
  readonly serviceAccounts: ReadonlySet<string>;
}

function allowedOf(allow: readonly AccessEntry[]): Allowed {
  const users = allow.flatMap(({ user }) => user ?? []);
  return {
    groups: new Set(allow.flatMap(({ group }) => group ?? [])),
    // An id is never taken for an address, nor an address for an id: what an issuer says is someone's address may be any text, and
    // so may a token's `sub`, which nobody has verified to be a mailbox.
    users: new Set(users.filter((user) => !isAddress(user))),
    emails: new Set(users.filter(isAddress).map(withoutCase)),
    serviceAccounts: new Set(allow.flatMap(({ serviceAccount }) => serviceAccount ?? [])),
  };
}

const isAddress = (user: string): boolean => user.includes('@');

/** Of ASCII letters only: the Kelvin sign, for one, would become a k, and its mailbox another's. */
const withoutCase = (email: string): string => email.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
