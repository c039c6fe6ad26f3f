import { isDeepStrictEqual } from 'node:util';
import type { ApiOperation } from '../api-operation.ts';

export interface OperationsDiff {
  /** Names of tools. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly tool: string; /** As `description`, `inputSchema`. */ readonly fields: readonly string[] }[];
  readonly unchanged: number;
}

/** What became of tools, by their names. */
export function diffOperations(before: readonly ApiOperation[], after: readonly ApiOperation[]): OperationsDiff {
  const former = new Map(before.map((operation) => [operation.name, operation]));
  const names = new Set(after.map(({ name }) => name));
  const kept = after.flatMap((operation) => {
    const was = former.get(operation.name);
    return was === undefined ? [] : [{ tool: operation.name, fields: changedFields(was, operation) }];
  });
  return {
    added: after.filter(({ name }) => !former.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    changed: kept.filter(({ fields }) => fields.length > 0),
    unchanged: kept.filter(({ fields }) => fields.length === 0).length,
  };
}

function changedFields(before: ApiOperation, after: ApiOperation): string[] {
  const [was, is] = [before as Readonly<Record<string, unknown>>, after as Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((field) => !isDeepStrictEqual(was[field], is[field]));
}
