import { canonicalName, type HeaderRules } from '@gatehouse/header-policy';

/**
 * What HTTP itself needs of a request (docs/decisions/0009): what its body is (RFC 9110 section 8, RFC 9530), which representation
 * is asked for (sections 12 and 14), and under which condition (section 13). Without them it would be another request: one that
 * was to change only what its caller had seen would change whatever is there.
 */
const ownNames: ReadonlySet<string> = new Set([
  'content-type', 'content-encoding', 'content-language', 'content-range', 'content-digest', 'content-md5', 'repr-digest',
  'accept', 'accept-charset', 'accept-encoding', 'accept-language', 'range',
  'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range',
]);

/** `name` in lower case. */
export const isDirectHeader = (name: string): boolean => ownNames.has(name);

/** The policy never passes these under their own names. */
const neverPassed: ReadonlySet<string> = new Set(['accept', 'content-type']);

/**
 * What a request that is passed on says of itself, flat and in the spelling of its caller; what the policy passes anyway is left to it.
 * @param nominated canonical names that the caller's `Connection` lists
 */
export function directHeaders(rows: readonly string[], nominated: ReadonlySet<string> | undefined, rules: HeaderRules): string[] {
  const own: string[] = [];
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const name = rows[index] as string;
    const lowerCase = name.toLowerCase();
    if (!isDirectHeader(lowerCase) || nominated?.has(canonicalName(name)) === true) continue;
    if (neverPassed.has(lowerCase) || !isPassed(name, lowerCase, rules)) own.push(name, rows[index + 1] as string);
  }
  return own;
}

const isPassed = (name: string, lowerCase: string, rules: HeaderRules): boolean => rules.decide(name).passes.some(({ outgoingName }) => outgoingName?.toLowerCase() === lowerCase);
