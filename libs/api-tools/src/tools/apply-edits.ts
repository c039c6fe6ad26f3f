import { type Problem, pointerOf } from '@gatehouse/errors';
import type { ApiOperation } from '../api-operation.ts';

/** What somebody changed of a tool after its import. */
export interface ToolEdit {
  /** The tool’s name as it was imported. */
  readonly operation: string;
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly hidden?: true | undefined;
}

export interface EditedOperations {
  /** Without those that are hidden. */
  readonly operations: readonly ApiOperation[];
  /** Indexes of edits whose tool is not there. */
  readonly orphaned: readonly number[];
  /** New names that another tool has already: `/0/name`. */
  readonly problems: readonly Problem[];
}

/** Tools as callers see them: imported, then edited. */
export function applyEdits(imported: readonly ApiOperation[], edits: readonly ToolEdit[]): EditedOperations {
  if (edits.length === 0) return { operations: imported, orphaned: [], problems: [] };
  const byOperation = new Map(edits.map((edit, index) => [edit.operation, { edit, index }]));
  const edited = imported.map((operation) => ({ operation, ...byOperation.get(operation.name) })).filter(({ edit }) => edit?.hidden !== true);
  const names = new Set(imported.map(({ name }) => name));
  // What keeps its name has it before whoever takes another.
  const taken = new Set(edited.filter(({ edit }) => edit?.name === undefined).map(({ operation }) => operation.name));
  const problems: Problem[] = [];
  const operations = edited.map(({ operation, edit, index }) => {
    if (edit === undefined || index === undefined) return operation;
    if (edit.name !== undefined && taken.has(edit.name)) problems.push({ pointer: pointerOf([index, 'name']), detail: 'is the name of another tool', code: 'name_taken' });
    if (edit.name !== undefined) taken.add(edit.name);
    return {
      ...operation,
      ...(edit.name !== undefined && { name: edit.name }),
      ...(edit.title !== undefined && { title: edit.title }),
      ...(edit.description !== undefined && { description: edit.description }),
    };
  });
  return { operations, orphaned: edits.flatMap(({ operation }, index) => (names.has(operation) ? [] : [index])), problems };
}
