import { OAuthFailure } from './oauth-failure.ts';
import type { Fields } from './read-answer.ts';

/** What an answer must say of its token; where nothing is expected, all that counts is that it can be sent as a bearer's. */
export interface ExpectedToken {
  /** RFC 8693 section 2.2.1, `issued_token_type`: one of these. Some providers do not say. */
  readonly issuedTokenTypes?: readonly string[] | undefined;
  /** It is no access token, but what one is asked for with: it says so itself (`token_type` N_A), and of which type it is. */
  readonly isAssertion?: boolean | undefined;
}

/**
 * @param hasKey a token may be bound to
 * @throws OAuthFailure misconfigured for a token that is another than was asked for, or that cannot be used as we would use it
 */
export function checkTokenType(fields: Fields, status: number, hasKey: boolean, { issuedTokenTypes, isAssertion = false }: ExpectedToken = {}): void {
  const { token_type: tokenType, issued_token_type: issued } = fields;
  const problem = problemOf(typeof tokenType === 'string' ? tokenType : '', isAssertion, hasKey) ?? (isExpected(issued, issuedTokenTypes, isAssertion) ? undefined : `the provider gives a token of another type than was asked for: ${shown(issued)}`);
  if (problem !== undefined) throw new OAuthFailure('misconfigured', problem, { status });
}

function problemOf(tokenType: string, isAssertion: boolean, hasKey: boolean): string | undefined {
  if (isAssertion) return /^n_a$/i.test(tokenType) ? undefined : 'the provider gives an access token where an assertion was asked for';
  if (/^n_a$/i.test(tokenType)) return 'the provider gives a token that is no access token (token_type N_A)';
  if (hasKey && isBoundType(tokenType)) return undefined;
  // One that only counts with a proof of possession is none that could be sent as a bearer's.
  return /^(dpop|mac|pop)$/i.test(tokenType) ? 'the provider gives tokens that need a proof of possession' : undefined;
}

/** RFC 9449 section 5. */
export const isBoundType = (tokenType: unknown): boolean => typeof tokenType === 'string' && /^dpop$/i.test(tokenType);

function isExpected(issued: unknown, expected: readonly string[] | undefined, isAssertion: boolean): boolean {
  if (expected === undefined) return true;
  return issued === undefined ? !isAssertion : typeof issued === 'string' && expected.includes(issued);
}

/** A type is a URI; whatever else is there is not repeated. */
const shown = (issued: unknown): string => (typeof issued === 'string' && /^[\w:./-]{1,100}$/.test(issued) ? issued : 'none that is known');
