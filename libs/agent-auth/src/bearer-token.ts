import { type TokenDenial, tokenDenials } from '@gatehouse/token-verification';
import type { Denial } from './agent-auth-type.ts';

/** RFC 6750 section 2.1; the scheme without case (RFC 9110 section 11.1). What follows it is for the verification to judge. */
export const bearerToken = (authorization: string): string | undefined => /^bearer +(\S.*)$/i.exec(authorization)?.[1];

export const missingToken: Denial = { denied: 'missing_credential' };

/** What is said of a token that was refused. */
export const tokenRefusals = Object.fromEntries(Object.entries(tokenDenials).map(([denied, description]) => [denied, { denied, description }])) as Record<TokenDenial, Denial>;

/** Of verified tokens that one server remembers. */
export const verifiedTokenLimits = { maxCount: 2_000, maxCharacters: 4_194_304 };
