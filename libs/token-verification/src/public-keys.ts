import { createPublicKey, type KeyObject } from 'node:crypto';
import { algorithmsOf, type SignatureAlgorithm } from './signature-algorithms.ts';

/** A token that names no key is tried with this many at most: verifying costs, and strangers choose how often. */
const maxCandidates = 8;
const maxKeys = 100;
// RFC 7518 section 3.3.
const minModulusBits = 2048;

/** Of RSA, EC and OKP keys, of symmetric ones, and of those to come (AKP): what nobody but the issuer may know. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

interface PublicKey {
  readonly kid: string | undefined;
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly key: KeyObject;
}

type Json = Readonly<Record<string, unknown>>;

/** The keys of one JSON Web Key Set that tokens may be verified with. Never changes: other keys are another object. */
export class PublicKeys {
  readonly #keys: readonly PublicKey[];

  constructor(keys: readonly PublicKey[]) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The keys that a token's header can mean: of several with its `kid`, or where it names none, those its `alg` fits. */
  candidates(alg: SignatureAlgorithm, kid: string | undefined): readonly KeyObject[] {
    const fitting = this.#keys.filter((entry) => (kid === undefined || entry.kid === kid) && entry.algorithms.includes(alg));
    return fitting.slice(0, maxCandidates).map(({ key }) => key);
  }
}

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5); undefined where it is none. Keys that tokens must not be verified with are
 * left out: of other types or for other uses, too short, or not secret any more.
 */
export function readPublicKeys(document: unknown): PublicKeys | undefined {
  if (!isObject(document) || !Array.isArray(document['keys']) || !document['keys'].every(isObject)) return undefined;
  return new PublicKeys(document['keys'].slice(0, maxKeys).map(publicKeyOf).filter((key) => key !== undefined));
}

/** The member that makes a key private or symmetric, or undefined. */
export const privateMemberOf = (jwk: Json): string | undefined => privateMembers.find((name) => jwk[name] !== undefined);

function publicKeyOf(jwk: Json): PublicKey | undefined {
  const { kid, kty, use, key_ops: operations, n, e, crv, x, y } = jwk;
  const isForVerifying = (use === undefined || use === 'sig') && (operations === undefined || (Array.isArray(operations) && operations.includes('verify')));
  const algorithms = algorithmsOf(jwk);
  if (!isForVerifying || algorithms.length === 0 || privateMemberOf(jwk) !== undefined || (kid !== undefined && typeof kid !== 'string')) return undefined;
  try {
    const members = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x };
    const key = createPublicKey({ format: 'jwk', key: members as Record<string, string> });
    const { modulusLength } = key.asymmetricKeyDetails ?? {};
    return kty === 'RSA' && (modulusLength ?? 0) < minModulusBits ? undefined : { kid, algorithms, key };
  } catch {
    // Not a key of its type: a point that is not on its curve, say.
    return undefined;
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
