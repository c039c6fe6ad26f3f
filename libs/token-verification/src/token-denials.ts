/**
 * Why a token is refused, and what its caller is told: fit for `error_description` (RFC 6750 section 3), and never anything out
 * of the token.
 */
export const tokenDenials = {
  token_too_large: 'The token is larger than this server accepts.',
  malformed_token: 'The token is not a signed JWT in compact form.',
  algorithm_not_allowed: 'The token is signed with an algorithm that this server does not accept.',
  wrong_token_type: 'The token is of a type that gives no access.',
  unknown_key: 'The token is signed with a key that its issuer does not publish.',
  bad_signature: 'The signature of the token is not valid.',
  wrong_issuer: 'The token is from another issuer.',
  wrong_audience: 'The token is for another audience.',
  missing_claim: 'The token lacks a claim that this server requires.',
  token_not_yet_valid: 'The token is not valid yet.',
  expired_token: 'The token has expired.',
} as const;

export type TokenDenial = keyof typeof tokenDenials;
