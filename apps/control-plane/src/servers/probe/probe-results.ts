import { errorCodes } from '@gatehouse/errors';
import { z } from 'zod';
import { importWarning, leftOut } from '../tools/tool-import.dto.ts';

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
  outputSchema: jsonObject.optional(),
  annotations: jsonObject.optional(),
});

const toolImport = z
  .object({
    title: z.string().meta({ description: 'Of the API, as its document says; may be empty.' }),
    version: z.string(),
    importedAt: z.string(),
    leftOut: z.array(leftOut).meta({ description: 'What did not become a tool, and why.' }),
    warnings: z.array(importWarning),
  })
  .meta({ id: 'ToolImport' });

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
    import: toolImport.optional().meta({ description: 'Of an API server: where its tools come from.' }),
  })
  .meta({ id: 'ServerDiscovery' });

export type ProbeStep = z.output<typeof probeStep>;
export type TestReport = z.output<typeof testReport>;
export type Discovery = z.output<typeof discovery>;
