import { errorCodes } from '@gatehouse/errors';
import { z } from 'zod';

/** The steps of a test, in the order they are made. */
export const probeSteps = ['resolve', 'connect', 'tls', 'authenticate', 'discover', 'initialize', 'list-tools'] as const;

export type ProbeStepName = (typeof probeSteps)[number];

const errorCode = z.enum(Object.keys(errorCodes) as [keyof typeof errorCodes]);
const jsonObject = z.record(z.string(), z.unknown());

export const probeStep = z
  .object({
    step: z.enum(probeSteps),
    outcome: z.enum(['passed', 'failed', 'skipped']),
    durationMs: z.number(),
    detail: z.string().optional().meta({ description: 'What was seen.' }),
    reason: errorCode.optional().meta({ description: 'Why it failed, as the data plane would name it.' }),
    advice: z.string().optional().meta({ description: 'What to do.' }),
  })
  .meta({ id: 'ProbeStep' });

export const testReport = z
  .object({ outcome: z.enum(['passed', 'failed']), steps: z.array(probeStep), durationMs: z.number() })
  .meta({ id: 'ServerTest' });

const discoveredTool = z.object({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: jsonObject,
  annotations: jsonObject.optional(),
});

export const discovery = z
  .object({
    protocolVersion: z.string(),
    era: z.enum(['modern', 'legacy']),
    serverInfo: jsonObject.optional(),
    capabilities: jsonObject,
    instructions: z.string().optional(),
    tools: z.array(discoveredTool),
    resources: z.array(jsonObject),
    resourceTemplates: z.array(jsonObject),
    prompts: z.array(jsonObject),
    truncated: z.boolean().meta({ description: 'Whether the upstream has more than is listed here.' }),
  })
  .meta({ id: 'ServerDiscovery' });

export type ProbeStep = z.output<typeof probeStep>;
export type TestReport = z.output<typeof testReport>;
export type Discovery = z.output<typeof discovery>;
