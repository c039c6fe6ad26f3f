export { type FetchedKeySet, type FetchKeySet, fetchKeySet, keySetLimits } from './fetch-key-set.ts';
export { fixedKeySet, type KeySet } from './key-set.ts';
export { keySetField } from './key-set-field.ts';
export { KeySets, type KeySetsOptions } from './key-sets.ts';
export { type PublicKeys, readPublicKeys } from './public-keys.ts';
export { type SignatureAlgorithm, signatureAlgorithms } from './signature-algorithms.ts';
export { type TokenDenial, tokenDenials } from './token-denials.ts';
export { VerifiedTokens, verifiedTokenUse } from './verified-tokens.ts';
export { type TokenRules, type Verification, type VerifiedToken, verifyToken } from './verify-token.ts';
