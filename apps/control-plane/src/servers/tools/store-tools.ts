import { isDeepStrictEqual } from 'node:util';
import type { ApiOperation } from '@gatehouse/api-tools';
import { GatewayError } from '@gatehouse/errors';
import type { Sql } from '../../database/sql.ts';
import type { StoredDocument, ToolsSummary } from '../servers.store.ts';
import { editedTools, storedToolsOf, toolsOf } from './complete-tools.ts';
import { importKeyOf } from './import-key.ts';
import { deleteServerTools, type EditOutcome, readOperations, type ServerTools, writeEditOutcome, writeServerTools } from './server-tools.store.ts';

export interface ToolsChange {
  readonly id: string;
  /** Undefined for a server that is new. */
  readonly before: StoredDocument | undefined;
  readonly after: StoredDocument;
  readonly stored: ToolsSummary | null;
  /** What was imported before the transaction; nothing where it did not seem to be necessary. */
  readonly imported: ServerTools | undefined;
}

/**
 * What a change of a server's document does to its tools.
 * @throws GatewayError validation_failed; conflict where the document is not the one any more that they were imported for
 */
export async function storeTools(sql: Sql, { id, before, after, stored, imported }: ToolsChange): Promise<void> {
  const importKey = importKeyOf(after);
  if (importKey === undefined) {
    if (stored !== null) await deleteServerTools(sql, id);
  } else if (importKey !== stored?.importKey) {
    if (imported?.importKey !== importKey) throw new GatewayError('conflict', { detail: 'its tools were imported for another document' });
    await writeServerTools(sql, id, imported, editOutcomeOf(after, imported.operations));
  } else if (!isDeepStrictEqual(storedToolsOf(before)?.edits, toolsOf(after).edits)) {
    await writeEditOutcome(sql, id, editOutcomeOf(after, (await readOperations(sql, [id])).get(id) ?? []));
  }
}

/** @throws GatewayError validation_failed */
export function editOutcomeOf(document: StoredDocument, imported: readonly ApiOperation[]): EditOutcome {
  const { operations, orphaned, problems } = editedTools(toolsOf(document), imported);
  if (problems.length > 0) throw new GatewayError('validation_failed', { problems: problems.map((problem) => ({ ...problem, pointer: `/tools/edits${problem.pointer}` })) });
  return { toolCount: operations.length, orphanedEdits: orphaned.length };
}
