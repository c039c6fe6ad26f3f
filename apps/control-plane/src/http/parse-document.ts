import { GatewayError } from '@gatehouse/errors';
import type { z } from 'zod';
import { plainMessage } from './plain-message.ts';
import { problemsOf } from './problems-of.ts';
import { unstorableText } from './unstorable-text.ts';

/**
 * Validates a document.
 * @throws GatewayError validation_failed with every problem
 */
export function parseDocument<S extends z.ZodType>(schema: S, document: unknown): z.output<S> {
  const result = schema.safeParse(document, { error: plainMessage });
  if (!result.success) throw new GatewayError('validation_failed', { problems: problemsOf(result.error.issues, document) });
  const problems = unstorableText(document);
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems });
  return result.data;
}
