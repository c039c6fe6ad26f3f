import { isByTool } from '@gatehouse/call-limits';
import { z } from 'zod';
import { toolPatterns } from './access-rules.ts';

const maxRates = 16;
const maxCalls = 1_000_000;
const maxSeconds = 86_400;

const count = (title: string, max: number) => z.number().int('must be a whole number').min(1).max(max).meta({ title });

const rate = z
  .strictObject({
    per: z.enum(['caller', 'server', 'tool', 'caller-tool']).meta({ title: 'Per', description: 'Whose calls are counted together: those of each caller; of all; of each tool, whoever calls it; of each caller and tool.' }),
    tools: toolPatterns('Tools', 'for all tools').optional().meta({ description: 'Of rates per tool or caller-tool: each tool that one of these fits has a count of its own. * stands for any characters.' }),
    calls: count('Calls', maxCalls),
    seconds: count('Seconds', maxSeconds).meta({ description: 'So many calls in so many seconds, on average.' }),
    burst: count('Burst', maxCalls).optional().meta({ description: 'So many at once, after a pause. As many as calls when absent.' }),
    shared: z.boolean().optional().meta({ title: 'Shared', description: 'Whether all data planes count together, in Redis. Each counts its own calls when absent.' }),
  })
  .superRefine(({ per, tools }, context) => {
    if (tools !== undefined && !isByTool({ per })) context.addIssue({ code: 'custom', path: ['tools'], message: 'goes with per "tool" or "caller-tool" only' });
  })
  .meta({ id: 'RateLimit', title: 'Rate' });

const concurrentCalls = z
  .strictObject({
    server: count('Of the server', maxCalls).optional(),
    caller: count('Of each caller', maxCalls).optional(),
  })
  .meta({ title: 'Concurrent calls', description: 'Calls under way at the same time, on each data plane. What is absent is as the data plane’s settings say.' });

/** How often, and how many at a time, a server may be called. */
export const callLimits = z
  .strictObject({
    rates: z
      .array(rate)
      .min(1, 'must not be empty: leave it out for no limit')
      .max(maxRates)
      .superRefine((rates, context) => {
        const taken = new Map<string, number>();
        for (const [index, one] of rates.entries()) {
          const { per, tools, seconds, shared = false } = one;
          const key = JSON.stringify([per, tools?.toSorted(), seconds, shared]);
          const earlier = taken.get(key);
          if (earlier === undefined) taken.set(key, index);
          else context.addIssue({ code: 'custom', path: [index], message: `counts the same calls over the same time as rate ${earlier}: one of them is enough` });
        }
      })
      .optional()
      .meta({ title: 'Rates', description: 'A call has to be let through by each of them.' }),
    concurrentCalls: concurrentCalls.optional(),
  })
  .meta({ id: 'CallLimits', title: 'Limits' });
