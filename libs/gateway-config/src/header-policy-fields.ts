import { headerName } from '@gatehouse/config-fields';
import { builtInRule, canonicalName, headerPattern } from '@gatehouse/header-policy';
import { z } from 'zod';

export const defaultMaxValueBytes = 8_192;
const maxRows = 200;

const name = headerName();
const pattern = headerPattern();

const mapping = z.strictObject({
  source: name.meta({ title: 'Source', description: 'Of the caller; matched without case.' }),
  target: z.union([z.literal(''), name]).optional().meta({ title: 'Target', description: 'Towards the upstream; the source’s name when empty.' }),
});

export type HeaderMapping = z.output<typeof mapping>;

/** What a server's policy and the global one have in common. */
export const headerPolicyFields = {
  mode: z.enum(['none', 'all', 'list', 'mappings']).meta({ title: 'Mode', description: 'Which of the caller’s headers pass: none, all eligible ones, those of a list, or those that are mapped.' }),
  list: z.array(name).max(maxRows).optional().meta({ title: 'Headers', description: 'They leave in this spelling.' }),
  mappings: z.array(mapping).max(maxRows).optional().meta({ title: 'Mappings' }),
  restricted: z.array(pattern).max(maxRows).optional().meta({ title: 'Restricted', description: 'Patterns of names that never pass, such as x-internal-*.' }),
  overwriteBaseHeaders: z.boolean().optional().meta({ title: 'Overwrite base headers', description: 'Whether a header that passes may replace accept, content-type and user-agent.' }),
  maxValueBytes: z.number().int().min(1).max(32_768).optional().meta({ title: 'Longest value', description: `A longer one drops its header. ${defaultMaxValueBytes} when absent.` }),
};

type PolicyRows = { readonly mode?: string | undefined; readonly list?: readonly string[] | undefined; readonly mappings?: readonly HeaderMapping[] | undefined };

/** Problems between fields: rows that the mode does not use, rows that can never leave, two that would leave under one name. */
export function checkPolicyRows(policy: PolicyRows, context: z.RefinementCtx): void {
  const { mode, list = [], mappings = [] } = policy;
  const issue = (path: (string | number)[], message: string): void => void context.addIssue({ code: 'custom', path, message });
  if (mode === 'list' && policy.list === undefined) issue(['list'], 'is required with mode "list"');
  if (mode === 'mappings' && policy.mappings === undefined) issue(['mappings'], 'is required with mode "mappings"');
  if (mode !== undefined && mode !== 'list' && list.length > 0) issue(['list'], `is not used with mode "${mode}": leave it out, or choose mode "list"`);
  if (mode !== undefined && mode !== 'mappings' && mappings.length > 0) issue(['mappings'], `is not used with mode "${mode}": leave it out, or choose mode "mappings"`);

  const listed = new Set<string>();
  for (const [index, entry] of list.entries()) {
    const problem = neverPasses(entry);
    if (problem) issue(['list', index], problem);
    if (listed.has(entry.toLowerCase())) issue(['list', index], 'is listed twice');
    listed.add(entry.toLowerCase());
  }
  const targets = new Map<string, number>();
  for (const [index, { source, target }] of mappings.entries()) {
    const sourceProblem = neverPasses(source);
    if (sourceProblem) issue(['mappings', index, 'source'], sourceProblem);
    const outgoing = target || source;
    const targetProblem = target && neverLeavesAs(target, source);
    if (targetProblem) issue(['mappings', index, 'target'], targetProblem);
    const earlier = targets.get(canonicalName(outgoing));
    if (earlier !== undefined) issue(['mappings', index, 'target'], `is the target of mapping ${earlier} already: two headers cannot leave under one name`);
    else targets.set(canonicalName(outgoing), index);
  }
}

const upstreamAuthorization = 'x-upstream-authorization';

/** D3 (docs/rules.md): no mapping decides where that header goes, and nothing goes under its name. */
function neverLeavesAs(target: string, source: string): string | undefined {
  if (canonicalName(target) === upstreamAuthorization) return 'is never sent upstream under this name';
  if (source.toLowerCase() === upstreamAuthorization && target.toLowerCase() !== 'authorization') return 'is not where X-Upstream-Authorization goes: it leaves as Authorization, without a mapping';
  return neverPasses(target);
}

/** Why a header of this name never passes, whatever a policy says (D5 and D6, docs/rules.md). */
export function neverPasses(header: string): string | undefined {
  const builtIn = builtInRule(canonicalName(header));
  return builtIn && `never passes: ${whyNot[builtIn.reason]}`;
}

const whyNot = {
  blocked: 'cookies belong to the gateway’s own origin',
  hop_by_hop: 'it is about one connection',
  reserved: 'the gateway or the protocol writes it itself',
} as const;
