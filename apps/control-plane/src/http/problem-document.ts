import type { GatewayError } from '@gatehouse/errors';
import { z } from 'zod';

/** RFC 9457. */
export const problemDocument = z
  .object({
    type: z.string().meta({ description: 'Names the kind of problem; the code as a URN.' }),
    title: z.string(),
    status: z.number().int(),
    code: z.string().meta({ description: 'Stable, for programs.' }),
    detail: z.string(),
    instance: z.string().optional().meta({ description: 'The request, as the log names it.' }),
    errors: z
      .array(z.object({ pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) into what was sent.' }), detail: z.string(), code: z.string().optional() }))
      .meta({ description: 'Everything that is wrong, not only the first.' }),
  })
  .meta({ id: 'Problem', description: 'What went wrong (RFC 9457).' });

export type ProblemDocument = z.output<typeof problemDocument>;

const maxProblems = 200;
const namedInDetail = 3;

/** What is said of an error in public. Its own `detail` is for the log. */
export function problemDocumentOf(error: GatewayError, requestId: string): ProblemDocument {
  const errors = error.problems.slice(0, maxProblems);
  const named = errors.slice(0, namedInDetail).map(({ pointer, detail }) => `${pointer || 'The document'} ${detail}`);
  const more = errors.length > namedInDetail ? `; and ${errors.length - namedInDetail} more` : '';
  return {
    type: `urn:gatehouse:problem:${error.code}`,
    title: error.publicMessage,
    status: error.status,
    code: error.code,
    detail: named.length > 0 ? `${named.join('; ')}${more}.` : error.publicMessage,
    instance: `urn:uuid:${requestId}`,
    errors,
  };
}
