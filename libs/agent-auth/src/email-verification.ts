/** What a token's issuer says of the address in it. */
export type EmailVerification = 'verified' | 'unverified' | 'unsaid';

/**
 * OpenID Connect Core section 5.1, and issuers that write booleans as texts. What is said and is no yes is a no: the address is
 * whatever somebody has typed.
 */
export function emailVerification({ email_verified: said }: Readonly<Record<string, unknown>>): EmailVerification {
  if (said === undefined) return 'unsaid';
  return said === true || said === 'true' ? 'verified' : 'unverified';
}
