import { hash } from 'node:crypto';
import { writtenOperation } from '@gatehouse/api-tools';
import { httpUrl } from '@gatehouse/config-fields';
import { z } from 'zod';
import { toolPatterns } from './access-rules.ts';

const maxOperations = 1_000;
const maxEdits = 10_000;
/** As many as a document can have, and a little: what is in it says the rest. */
const maxCharacters = 20 * 1024 * 1024;

const toolName = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be letters, digits, _, . and -, at most 128');

/** Stands for a source that was given in the document itself, as it is read: it may be 20 MiB. Sent back, the source stays as it is. */
export const keptSource = z
  .strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'), bytes: z.number().int().nonnegative() })
  .meta({ id: 'KeptSource', title: 'As read', description: 'The source that is stored; GET …/tools-source has it.' });

export type KeptSource = z.output<typeof keptSource>;

const text = z.string().min(1, 'must not be empty').max(maxCharacters);
const openApiDocument = z.looseObject({}).refine((value) => Object.hasOwn(value, 'openapi') || Object.hasOwn(value, 'swagger'), 'must be an OpenAPI document, 3.0 or 3.1, or Swagger 2.0');

const selection = {
  include: toolPatterns('Tools to import', 'for all').optional(),
  exclude: toolPatterns('Tools not to import', 'for none').optional(),
};

const openapi = z
  .strictObject({
    url: httpUrl('URL of the document').optional().meta({ description: 'Fetched when it is saved and at a re-import, without any credential.' }),
    document: z.union([text, keptSource, openApiDocument]).optional().meta({ title: 'The document itself', description: 'As text (JSON or YAML) or as an object.' }),
    ...selection,
  })
  .superRefine(({ url, document }, context) => {
    if ((url === undefined) === (document === undefined)) context.addIssue({ code: 'custom', message: 'must have exactly one of url and document' });
  });

const graphqlDocument = z.strictObject({
  name: toolName,
  description: z.string().max(4_000).optional(),
  document: z.string().min(1, 'must not be empty').max(100_000).meta({ description: 'With one operation in it.' }),
});

const graphql = z
  .strictObject({
    url: httpUrl('URL of the schema').optional().meta({ description: 'Fetched without any credential. Absent, with schema absent too: the upstream is asked (introspection), with its credential.' }),
    schema: z.union([text, keptSource]).optional().meta({ title: 'The schema itself', description: 'SDL, or what introspection answered.' }),
    operations: z.array(graphqlDocument).min(1, 'must not be empty').max(maxOperations).optional().meta({ title: 'Operations', description: 'A tool for each. Absent: one for each field of the query and the mutation type.' }),
    maxDepth: z.number().int().min(1).max(10).optional().meta({ title: 'Depth', description: 'How deep tools of root fields ask; 3 when absent.' }),
    ...selection,
  })
  .superRefine(({ url, schema }, context) => {
    if (url !== undefined && schema !== undefined) context.addIssue({ code: 'custom', message: 'must have at most one of url and schema' });
  });

/** What somebody changed of an imported tool; a re-import keeps it. */
const edit = z
  .strictObject({
    operation: toolName.meta({ title: 'Tool', description: 'Its name as it was imported.' }),
    name: toolName.optional(),
    title: z.string().max(200).optional(),
    description: z.string().max(4_000).optional(),
    hidden: z.literal(true).optional().meta({ title: 'Left out' }),
  })
  .meta({ id: 'ToolEdit' });

/** Where the tools of an API come from. */
export const toolsSource = z
  .strictObject({
    openapi: openapi.optional(),
    graphql: graphql.optional(),
    operations: z.array(writtenOperation).min(1, 'must not be empty').max(maxOperations).optional(),
    edits: z.array(edit).max(maxEdits).optional(),
  })
  .superRefine(({ edits = [], ...source }, context) => {
    if (Object.values(source).filter((value) => value !== undefined).length !== 1) context.addIssue({ code: 'custom', message: 'must have exactly one of openapi, graphql and operations' });
    const edited = new Set<string>();
    for (const [index, { operation }] of edits.entries()) {
      if (edited.has(operation)) context.addIssue({ code: 'custom', path: ['edits', index, 'operation'], message: 'is edited already' });
      edited.add(operation);
    }
  })
  .meta({ id: 'ToolsSource', title: 'Tools' });

export type ToolsSource = z.output<typeof toolsSource>;

/** What stands for a source: of an object, its members in any order are the same. */
export function keptSourceOf(source: string | object): KeptSource {
  const written = textOfSource(source);
  return { sha256: hash('sha256', typeof source === 'string' ? written : JSON.stringify(sorted(source))), bytes: Buffer.byteLength(written) };
}

export const textOfSource = (source: string | object): string => (typeof source === 'string' ? source : JSON.stringify(source));

export const isKeptSource = (source: unknown): source is KeptSource => keptSource.safeParse(source).success;

/** A source apart from where it is given: what may be 20 MiB is neither stored nor shown with the rest of a server's document. */
export interface TakenSource {
  /** With a mark in place of a source that the document itself had. */
  readonly tools: ToolsSource;
  /** That source; undefined where there is none, or only its mark. */
  readonly source: string | object | undefined;
}

export function takeSource(tools: ToolsSource): TakenSource {
  const { openapi, graphql } = tools;
  const given = openapi?.document ?? graphql?.schema;
  return given === undefined || isKeptSource(given) ? { tools, source: undefined } : { tools: withSource(tools, keptSourceOf(given)), source: given };
}

/** The mark that stands for a source. */
export const keptSourceIn = ({ openapi, graphql }: ToolsSource): KeptSource | undefined => [openapi?.document, graphql?.schema].find(isKeptSource);

/** The same with another source, or another mark, of the same kind: a schema of GraphQL is text. */
export function withSource(tools: ToolsSource, source: string | object): ToolsSource {
  if (tools.openapi !== undefined) return { ...tools, openapi: { ...tools.openapi, document: source as string } };
  return { ...tools, graphql: { ...tools.graphql, schema: source as string } };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}
