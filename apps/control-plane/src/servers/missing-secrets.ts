import { takeSecrets } from '@gatehouse/config-fields';
import type { Problem } from '@gatehouse/errors';
import { completeServerTypes, type ServerType, writableServerTypes } from '@gatehouse/gateway-config';
import type { z } from 'zod';
import { documentProblems } from '../http/parse-document.ts';
import { planSecrets, withPlannedSecrets } from './plan-secrets.ts';

type Fields = Readonly<Record<string, z.ZodType>>;

/** What would be missing in those parts of a document that are valid by themselves, though the whole is not. */
export function missingSecrets(body: unknown, storedSecrets: readonly string[]): Problem[] {
  if (typeof body !== 'object' || body === null) return [];
  const type = typeOf(body);
  const [written, complete]: [Fields, Fields] = [writableServerTypes[type].shape, completeServerTypes[type].shape];
  const parts = Object.entries(body).flatMap(([key, value]) => {
    // Where tools come from is no secret, and in a complete document it is not said.
    const parsed = key !== 'tools' && Object.hasOwn(complete, key) ? written[key]?.safeParse(value) : undefined;
    return parsed?.success ? [[key, parsed.data] as const] : [];
  });
  const { document, secrets } = takeSecrets(Object.fromEntries(parts));
  const planned = withPlannedSecrets(document, planSecrets(document, secrets, storedSecrets));
  return Object.entries(planned).flatMap(([key, value]) => {
    const missing = documentProblems(complete[key] as z.ZodType, value).filter(({ code }) => code === 'required');
    return missing.map((problem) => ({ ...problem, pointer: `/${key}${problem.pointer}` }));
  });
}

/** Where none is said, or none that there is: what most are. */
const typeOf = ({ type }: { readonly type?: unknown }): ServerType => (typeof type === 'string' && Object.hasOwn(writableServerTypes, type) ? (type as ServerType) : 'mcp');
