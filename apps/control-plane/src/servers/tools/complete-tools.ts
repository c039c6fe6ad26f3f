import { type ApiOperation, applyEdits, type EditedOperations } from '@gatehouse/api-tools';
import type { ToolsSource } from '@gatehouse/gateway-config';
import type { Sql } from '../../database/sql.ts';
import type { StoredDocument } from '../servers.store.ts';
import { readOperations } from './server-tools.store.ts';

/** What is stored may be anything: another release wrote it, or somebody by hand. */
export const isApi = (document: StoredDocument | null): boolean => document?.['type'] === 'api';

/** What an API's document says of its tools. */
export const toolsOf = (document: StoredDocument): ToolsSource => document['tools'] as ToolsSource;

export const editedTools = (document: StoredDocument, imported: readonly ApiOperation[]): EditedOperations => applyEdits(imported, toolsOf(document).edits ?? []);

/** A stored document as a snapshot has it: with tools, in place of where they come from. */
export function withTools(document: StoredDocument, imported: readonly ApiOperation[] = []): StoredDocument {
  return isApi(document) ? { ...document, tools: { operations: editedTools(document, imported).operations } } : document;
}

/** The imported tools of those servers that are APIs. */
export const readImported = (sql: Sql, rows: readonly { readonly id: string; readonly document: StoredDocument }[]): Promise<Map<string, readonly ApiOperation[]>> =>
  readOperations(sql, rows.filter(({ document }) => isApi(document)).map(({ id }) => id));
