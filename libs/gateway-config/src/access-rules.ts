import type { AgentAuth, Caller } from '@gatehouse/agent-auth';
import { slug } from '@gatehouse/config-fields';
import { z } from 'zod';

const maxEntries = 1_000;
const maxPatterns = 200;

const text = (title: string, maxLength: number) =>
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  z.string().min(1, 'must not be empty').max(maxLength).regex(/^[^\x00-\x1f\x7f]+$/, 'must not have control characters').meta({ title });

const entry = z
  .strictObject({
    group: text('Group', 256).optional(),
    user: text('User', 320).optional().meta({ description: 'An email address, in any case, or a person’s id.' }),
    serviceAccount: slug('Service account').optional(),
  })
  .superRefine((given, context) => {
    if (Object.values(given).filter((value) => value !== undefined).length !== 1) context.addIssue({ code: 'custom', message: 'must have exactly one of group, user and serviceAccount' });
  })
  .meta({ minProperties: 1, maxProperties: 1 });

export type AccessEntry = z.output<typeof entry>;

/** Other globs have more signs; in a rule of what must not be called, one that does nothing would be a hole. */
const pattern = text('Pattern', 256).regex(/^[^?[\]{}]+$/, 'has a sign that stands for nothing here: only * does, for any characters');
const patterns = (title: string, whatElse: string) => z.array(pattern).min(1, `must not be empty: leave it out ${whatElse}`).max(maxPatterns).meta({ title });

export const access = z
  .strictObject({
    allow: z.array(entry).min(1, 'must not be empty: leave it out for everyone, or set enabled to false').max(maxEntries).optional().meta({ title: 'Who may call', description: 'Everyone of the workspace when absent.' }),
    tools: z
      .strictObject({
        allow: patterns('Tools that may be called', 'for all tools').optional(),
        deny: patterns('Tools that may not', 'for none').optional(),
      })
      .optional()
      .meta({ title: 'Tools', description: 'By name, with its case; * stands for any characters. What is denied may not be called even where it is allowed.' }),
  })
  .meta({ id: 'Access', title: 'Access' });

export type Access = z.output<typeof access>;

/** Nobody can be told from anybody else where nothing is checked. */
export function checkAccess({ agentAuth, access: rules }: { agentAuth: AgentAuth; access?: Access | undefined }, context: z.RefinementCtx): void {
  if (rules?.allow === undefined || agentAuth.type !== 'passthrough' || agentAuth.jwt !== undefined) return;
  context.addIssue({ code: 'custom', path: ['access', 'allow'], message: 'needs callers that are known: agentAuth passthrough knows them with jwt only' });
}

/** Who may call a server; compiled once per revision. */
export class AccessRules {
  readonly #allow: Allowed | undefined;

  constructor(allow: readonly AccessEntry[] | undefined) {
    this.#allow = allow && allowedOf(allow);
  }

  admits({ kind, name, groups, subject, email }: Caller): boolean {
    const allow = this.#allow;
    if (allow === undefined) return true;
    if (kind === 'service-account' && allow.serviceAccounts.has(name)) return true;
    if (groups.some((group) => allow.groups.has(group))) return true;
    if (subject !== undefined && allow.users.has(subject)) return true;
    return email !== undefined && allow.emails.has(withoutCase(email));
  }
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
    users: new Set(users),
    // An id is never taken for an address: what a provider says is someone's address may be any text.
    emails: new Set(users.filter((user) => user.includes('@')).map(withoutCase)),
    serviceAccounts: new Set(allow.flatMap(({ serviceAccount }) => serviceAccount ?? [])),
  };
}

/** Of ASCII letters only: the Kelvin sign, for one, would become a k, and its mailbox another's. */
const withoutCase = (email: string): string => email.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
