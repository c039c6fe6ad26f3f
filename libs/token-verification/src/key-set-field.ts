import { z } from 'zod';
import { privateMemberOf, readPublicKeys } from './public-keys.ts';

const maxTextLength = 262_144;
const maxKeys = 100;

const keySet = z.looseObject({ keys: z.array(z.looseObject({})).max(maxKeys) });

/**
 * A JSON Web Key Set (RFC 7517 section 5) as part of a document: the object, or its text, which becomes the object. Public keys
 * only: what is refused is named by its place and never quoted.
 */
export const keySetField = (title: string) => z.preprocess(readKeySet, keySet).meta({ title, description: 'The JSON object, or its text. Public keys only.' });

function readKeySet(value: unknown, context: z.core.$RefinementCtx): unknown {
  const document = typeof value === 'string' ? parseText(value) : value;
  for (const { path, message } of problemsOf(document)) {
    // Into a text no pointer leads: there the message says where.
    const place = typeof value === 'string' && path.length > 0 ? { path: [], message: `${path.join('.')} ${message}` } : { path: [...path], message };
    context.addIssue({ code: 'custom', ...place });
  }
  return document;
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function problemsOf(document: unknown): Problem[] {
  const usable = readPublicKeys(document);
  if (usable === undefined) return [{ path: [], message: 'is not a JSON Web Key Set: an object with the list "keys" (RFC 7517)' }];
  const { keys } = document as { keys: Record<string, unknown>[] };
  const secret = keys.flatMap((key, index) => {
    const member = privateMemberOf(key);
    return member === undefined ? [] : [{ path: ['keys', index, member], message: 'belongs to a private or secret key: only public keys may stand here, and this one should be replaced' }];
  });
  if (secret.length > 0) return secret;
  const kinds = 'RSA of at least 2048 bits, EC on P-256, P-384 or P-521, or Ed25519, for signatures';
  return usable.size > 0 ? [] : [{ path: ['keys'], message: `has no key that tokens can be verified with: ${kinds}` }];
}

function parseText(text: string): unknown {
  if (text.length > maxTextLength) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
