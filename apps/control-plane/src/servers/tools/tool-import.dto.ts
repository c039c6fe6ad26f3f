import { apiOperation } from '@gatehouse/api-tools';
import { slug } from '@gatehouse/config-fields';
import { toolsSource, writableServerTypes } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';

const { upstream, appAuth, outboundHeaders } = writableServerTypes.api.shape;

/** As much of a server's document as there is. */
export const previewInput = z
  .strictObject({
    tools: toolsSource,
    name: slug('Name').optional().meta({ description: 'Of the server that is proposed; made of the title when absent.' }),
    upstream: upstream.optional().meta({ description: 'Which is asked for its GraphQL schema where tools gives none. What an OpenAPI document says of its servers when absent.' }),
    appAuth: appAuth.meta({ description: 'For a GraphQL upstream that is asked; kept nowhere.' }),
    outboundHeaders,
  })
  .meta({ id: 'ImportPreviewInput' });

export const leftOut = z.object({ operation: z.string(), reason: z.string(), pointer: z.string(), detail: z.string() }).meta({ id: 'LeftOutOperation' });
export const importWarning = z.object({ pointer: z.string(), code: z.string(), detail: z.string() }).meta({ id: 'ImportWarning' });
const missing = z.object({ pointer: z.string(), detail: z.string(), code: z.string().optional() });

const imported = {
  title: z.string().meta({ description: 'Of the API, as its document says; may be empty.' }),
  version: z.string(),
  leftOut: z.array(leftOut).meta({ description: 'What did not become a tool, and why.' }),
  warnings: z.array(importWarning),
};

const previewTool = apiOperation
  .pick({ name: true, title: true, description: true, method: true, path: true, annotations: true })
  .extend({ arguments: z.array(z.string()).meta({ description: 'Their names.' }) })
  .meta({ id: 'PreviewTool' });

export const importPreview = z
  .object({
    ...imported,
    servers: z.array(z.object({ url: z.string(), description: z.string().optional(), variables: z.record(z.string(), z.unknown()) })).meta({ description: 'Where the API is, as its document says.' }),
    suggestedAuth: z.array(z.object({ scheme: z.string(), description: z.string().optional(), appAuth: z.looseObject({ type: z.string() }) })).meta({ description: 'What fits the document’s security schemes; those that it asks for everywhere come first.' }),
    tools: z.array(previewTool),
    server: z.looseObject({}).meta({ description: 'A Server document, ready to be saved once it has what is missing.' }),
    missing: z.array(missing).meta({ description: 'What it lacks: secrets, and what the API’s document does not say.' }),
  })
  .meta({ id: 'ImportPreview' });

export const reimportInput = z
  .strictObject({
    apply: z.boolean().optional().meta({ description: 'Whether what is found takes the place of what there is. Needs If-Match.' }),
    document: z.union([z.string().min(1), z.looseObject({})]).optional().meta({ description: 'In place of the one that is stored, of a server whose OpenAPI document or GraphQL schema was given itself.' }),
  })
  .meta({ id: 'ReimportInput' });

export const toolsDiff = z
  .object({
    ...imported,
    applied: z.boolean(),
    added: z.array(z.string()).meta({ description: 'Tools, by the names that they are imported under.' }),
    removed: z.array(z.string()),
    changed: z.array(z.object({ tool: z.string(), fields: z.array(z.string()) })),
    unchanged: z.number().int(),
    edits: z.object({ kept: z.number().int(), orphaned: z.array(z.string()).meta({ description: 'Tools that are edited and not there any more.' }) }),
  })
  .meta({ id: 'ToolsDiff' });

export const sourceOfTools = z
  .object({ source: z.union([z.string(), z.looseObject({})]).meta({ description: 'As it was given, text or object.' }) })
  .meta({ id: 'SourceOfTools' });

export type ImportPreview = z.output<typeof importPreview>;
export type ToolsDiff = z.output<typeof toolsDiff>;
export type SourceOfTools = z.output<typeof sourceOfTools>;

export class ImportPreviewInput extends createZodDto(previewInput) {}
export class ImportPreviewOutput extends createZodDto(importPreview) {}
export class ReimportInputDto extends createZodDto(reimportInput) {}
export class ToolsDiffOutput extends createZodDto(toolsDiff) {}
export class SourceOfToolsOutput extends createZodDto(sourceOfTools) {}
