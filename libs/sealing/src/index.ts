export { type KeyRing, keyRingOf, parseKey, WeakKeyError } from './key-ring.ts';
export { seal, sealedTerm, type SealingContext, unseal, UnsealError } from './seal.ts';
export { Secret } from './secret.ts';
