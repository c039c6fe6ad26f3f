import { errorCodes } from '@gatehouse/errors';
import { dropReasons } from '@gatehouse/header-policy';
import { z } from 'zod';

const header = z.object({ name: z.string(), value: z.string().meta({ description: 'Of a secret at most the last four characters.' }), secret: z.boolean() });

const verdict = z
  .object({
    name: z.string().meta({ description: 'As the caller spelled it; of set, the header that the gateway adds.' }),
    action: z.enum(['kept', 'renamed', 'dropped', 'set', 'replaced']),
    reason: z.enum(dropReasons).optional(),
    outgoingName: z.string().optional().meta({ description: 'The name under which it leaves; of dropped, the one under which it would have, where that is another.' }),
    rule: z.string(),
    from: z.enum(['server', 'global', 'environment', 'built-in']),
    explanation: z.string().meta({ description: 'Why, and what to change.' }),
  })
  .meta({ id: 'HeaderVerdict' });

const remark = z.object({ code: z.string(), detail: z.string() });

export const explanation = z
  .object({
    request: z
      .object({ method: z.string(), url: z.string(), headers: z.array(header) })
      .nullable()
      .meta({ description: 'What leaves, without what frames it (Host, Connection, Content-Length). null: nothing.' }),
    refused: z
      .object({ code: z.enum(Object.keys(errorCodes) as [keyof typeof errorCodes]), status: z.number().int(), message: z.string() })
      .optional()
      .meta({ description: 'What the data plane answers in place of sending anything.' }),
    verdicts: z.array(verdict).meta({ description: 'One for each given header, or for each name it leaves under; then one for each header that the gateway adds.' }),
    credentials: z
      .array(z.object({ source: z.string(), location: z.object({ in: z.enum(['header', 'query']), name: z.string() }), wouldCall: z.string().optional() }))
      .meta({ description: 'What the gateway authenticates with at the upstream, and where it is put.' }),
    tokens: z
      .array(z.object({ name: z.string(), code: z.enum(['token_stays', 'token_leaves']), detail: z.string() }))
      .meta({ description: 'Of each given header that holds a token by its name, whether it stays at the gateway.' }),
    warnings: z.array(remark.extend({ pointer: z.string().optional() })),
    assumptions: z.array(remark).meta({ description: 'What the request does not say, and how it was understood.' }),
  })
  .meta({ id: 'Explanation' });

export type Explanation = z.output<typeof explanation>;
