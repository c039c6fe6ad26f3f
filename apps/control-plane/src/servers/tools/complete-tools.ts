import { type ApiOperation, applyEdits, type EditedOperations } from '@gatehouse/api-tools';
import { type ToolsSource, toolsSource } from '@gatehouse/gateway-config';
import type { Sql } from '../../database/sql.ts';
import type { StoredDocument } from '../servers.store.ts';
import { readOperations } from './server-tools.store.ts';

/** Of a document that was stored it may be anything. */
export const isApi = (document: StoredDocument | null | undefined): boolean => document?.['type'] === 'api';

/** What an API's document says of its tools. Of one that was checked. */
export const toolsOf = (document: StoredDocument): ToolsSource => document['tools'] as ToolsSource;

/** The same of one that was stored; undefined where it is none of an API, or what this release does not take. */
export const storedToolsOf = (document: StoredDocument | null | undefined): ToolsSource | undefined => (isApi(document) ? toolsSource.safeParse(document?.['tools']).data : undefined);

export const editedTools = (tools: ToolsSource, imported: readonly ApiOperation[]): EditedOperations => applyEdits(imported, tools.edits ?? []);

/** A stored document as a snapshot has it: with tools, in place of where they come from. What this release does not take stays as it is, and is no server. */
export function withTools(document: StoredDocument, imported: readonly ApiOperation[] = []): StoredDocument {
  const tools = storedToolsOf(document);
  return tools === undefined ? document : { ...document, tools: { operations: editedTools(tools, imported).operations } };
}

/** The imported tools of those servers that are APIs. */
export const readImported = (sql: Sql, rows: readonly { readonly id: string; readonly document: StoredDocument | null }[]): Promise<Map<string, readonly ApiOperation[]>> =>
  readOperations(sql, rows.filter(({ document }) => isApi(document)).map(({ id }) => id));
