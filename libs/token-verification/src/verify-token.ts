import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { KeySet } from './key-set.ts';
import type { PublicKeys } from './public-keys.ts';
import type { SignatureAlgorithm } from './signature-algorithms.ts';
import type { TokenDenial } from './token-denials.ts';

/** What a server wants of a token. */
export interface TokenRules {
  /** Any when absent. */
  readonly issuers?: readonly string[];
  /** One of them must be in the token's `aud`; any when absent. */
  readonly audiences?: readonly string[];
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly clockToleranceSeconds: number;
  /** Besides `exp`, without which no token is taken. */
  readonly requiredClaims: readonly string[];
  /** Only tokens that say of themselves that they are access tokens (RFC 9068 section 4): neither ID tokens nor any other JWT of the same issuer. */
  readonly accessTokensOnly?: boolean;
  /** The one `typ` that is taken, in lower case: tokens for another purpose than access (RFC 8725 section 3.11). */
  readonly onlyType?: string;
}

export interface VerifiedToken {
  readonly claims: Readonly<JWTPayload>;
  /** The keys that it was verified against. */
  readonly keys: PublicKeys;
  /** When it stops being accepted, the clock tolerance included; milliseconds since the epoch. */
  readonly expiresAt: number;
}

export type Verification = VerifiedToken | { readonly denied: TokenDenial };

const maxTokenLength = 16_384;
const compactShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
// RFC 7519 section 5.1 and RFC 9068 section 2.1. An ID token or a logout token that says what it is gives no access.
const accessTokenType = /^(application\/)?(at\+)?jwt$/i;
const statedAccessTokenType = /^(application\/)?at\+jwt$/i;

/**
 * Verifies a JWT in compact form (RFC 7519 section 7.2). What its header says of keys (`jku`, `x5u`, `x5c`, `jwk`) is not
 * read: keys come from the key set only. `now` is in milliseconds since the epoch.
 * @throws GatewayError caller_keys_unavailable
 */
export async function verifyToken(token: string, keySet: KeySet, rules: TokenRules, now: number): Promise<Verification> {
  const header = readHeader(token, rules);
  if ('denied' in header) return header;
  const keys = keySet.current() ?? (await keySet.load());
  const verification = await verifyWith(keys, token, header, rules, now);
  // Where tokens do not name their key, a new key shows as a signature that none of the known ones has made.
  const mayBeNewKey = 'denied' in verification && (verification.denied === 'unknown_key' || (verification.denied === 'bad_signature' && header.kid === undefined));
  if (!mayBeNewKey) return verification;
  const newer = await keySet.newerThan(keys);
  return newer === keys ? verification : verifyWith(newer, token, header, rules, now);
}

interface TokenHeader {
  readonly alg: SignatureAlgorithm;
  readonly kid: string | undefined;
}

/** All that can be said before a key is needed: what is refused here costs nothing and asks no issuer. */
function readHeader(token: string, rules: TokenRules): TokenHeader | { readonly denied: TokenDenial } {
  if (token.length > maxTokenLength) return { denied: 'token_too_large' };
  if (!compactShape.test(token)) return { denied: 'malformed_token' };
  const header = decodeHeader(token);
  if (header === undefined) return { denied: 'malformed_token' };
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return { denied: 'malformed_token' };
  if (!rules.algorithms.has(alg as SignatureAlgorithm)) return { denied: 'algorithm_not_allowed' };
  if (!isTypeTaken(typ, rules)) return { denied: 'wrong_token_type' };
  return { alg: alg as SignatureAlgorithm, kid };
}

function isTypeTaken(typ: unknown, { accessTokensOnly = false, onlyType }: TokenRules): boolean {
  if (onlyType !== undefined) return typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === onlyType;
  if (typ === undefined) return !accessTokensOnly;
  return typeof typ === 'string' && (accessTokensOnly ? statedAccessTokenType : accessTokenType).test(typ);
}

function decodeHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

async function verifyWith(keys: PublicKeys, token: string, { alg, kid }: TokenHeader, rules: TokenRules, now: number): Promise<Verification> {
  const candidates = keys.candidates(alg, kid);
  if (candidates.length === 0) return { denied: 'unknown_key' };
  for (const key of candidates) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [alg],
        currentDate: new Date(now),
        clockTolerance: rules.clockToleranceSeconds,
        requiredClaims: ['exp', ...rules.requiredClaims],
        ...(rules.issuers && { issuer: [...rules.issuers] }),
        ...(rules.audiences && { audience: [...rules.audiences] }),
      });
      return { claims: payload, keys, expiresAt: ((payload.exp as number) + rules.clockToleranceSeconds) * 1000 };
    } catch (error) {
      const denied = denialOf(error);
      // The signature is checked before anything else: any other reason is final.
      if (denied !== 'bad_signature') return { denied };
    }
  }
  return { denied: 'bad_signature' };
}

function denialOf(error: unknown): TokenDenial {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature';
  if (error instanceof errors.JWTExpired) return 'expired_token';
  if (error instanceof errors.JWTClaimValidationFailed) return claimDenialOf(error);
  // Not JSON inside, an unknown `crit` (RFC 7515 section 4.1.11), a header that contradicts itself.
  if (error instanceof errors.JOSEError) return 'malformed_token';
  throw error;
}

function claimDenialOf({ claim, reason }: errors.JWTClaimValidationFailed): TokenDenial {
  if (claim === 'iss') return 'wrong_issuer';
  if (claim === 'aud') return 'wrong_audience';
  if (reason === 'missing') return 'missing_claim';
  if (claim === 'nbf' && reason === 'check_failed') return 'token_not_yet_valid';
  return 'malformed_token';
}
