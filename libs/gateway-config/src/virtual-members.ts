import { slug } from '@gatehouse/config-fields';
import { z } from 'zod';
import { pattern } from './access-rules.ts';

const maxMembers = 50;
const maxPatterns = 200;
const maxRenamed = 1_000;

/** As clients and models take names (MCP 2025-11-25, server/tools, tool names). */
const listedName = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be letters, digits, _, . and -, at most 128');
const chosen = (title: string, one: z.ZodType<string> = pattern) => z.array(one).max(maxPatterns).meta({ title, description: '* stands for any characters. All when absent, none when empty.' });
// A question mark begins the query of a URI, and stands for itself.
const uriPattern = z.string().min(1, 'must not be empty').max(2_048).regex(/^[\x21-\x7e]+$/, 'must have no spaces and no control characters').meta({ title: 'Pattern' });

const member = z
  .strictObject({
    server: slug('Server').meta({ description: 'By name, of the same workspace. It may not be virtual itself.' }),
    tools: chosen('Tools').optional(),
    prompts: chosen('Prompts').optional(),
    resources: chosen('Resources, by URI', uriPattern).optional(),
    prefix: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, _, . and -, at most 64').optional().meta({ title: 'Prefix', description: 'In front of the names of its tools and prompts.' }),
    rename: z
      .record(z.string().min(1, 'must not be empty').max(256), listedName)
      .optional()
      .meta({ title: 'Renamed tools', description: 'New names, by the server’s own. These have no prefix.' }),
    callerCredential: z.literal(true).optional().meta({ title: 'Gets the caller’s credential', description: 'What callers bring for an upstream, as X-Upstream-Authorization or a passed on Authorization, goes to this member too. To none that does not say so.' }),
  })
  .superRefine(({ rename = {} }, context) => {
    const taken = new Set<string>();
    if (Object.keys(rename).length > maxRenamed) context.addIssue({ code: 'custom', path: ['rename'], message: `must not have more than ${maxRenamed} names` });
    for (const [own, listed] of Object.entries(rename)) {
      if (taken.has(listed)) context.addIssue({ code: 'custom', path: ['rename', own], message: 'is another tool’s new name already' });
      taken.add(listed);
    }
  })
  .meta({ id: 'VirtualMember' });

/** The servers that a virtual one is made of. */
export const virtualMembers = z
  .array(member)
  .min(1, 'must not be empty')
  .max(maxMembers)
  .superRefine((members, context) => {
    const taken = new Set<string>();
    for (const [index, { server }] of members.entries()) {
      if (taken.has(server)) context.addIssue({ code: 'custom', path: [index, 'server'], message: 'is a member already' });
      taken.add(server);
    }
  })
  .meta({ title: 'Members' });

export const unavailableMembers = z.enum(['leave-out', 'fail']).meta({ title: 'Members that are down', description: 'leave-out when absent: lists have what the others have, and name those that are missing. fail: lists fail.' });

export type VirtualMember = z.output<typeof member>;
