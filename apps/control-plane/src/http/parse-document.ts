import { plainMessage } from '@gatehouse/config-fields';
import { GatewayError, type Problem } from '@gatehouse/errors';
import type { z } from 'zod';
import { problemsOf } from './problems-of.ts';
import { unstorableText } from './unstorable-text.ts';

/** Everything that is wrong with a document; nothing when it is valid. */
export function documentProblems(schema: z.ZodType, document: unknown): Problem[] {
  const result = schema.safeParse(document, { error: plainMessage });
  return result.success ? unstorableText(document) : problemsOf(result.error.issues, document);
}

/**
 * Validates a document.
 * @throws GatewayError validation_failed with every problem
 */
export function parseDocument<S extends z.ZodType>(schema: S, document: unknown): z.output<S> {
  const problems = documentProblems(schema, document);
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
  return schema.parse(document);
}
