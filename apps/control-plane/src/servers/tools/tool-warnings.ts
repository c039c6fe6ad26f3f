import type { Warning } from '@gatehouse/gateway-config';
import type { ServerRow } from '../servers.store.ts';
import { isApi, toolsOf } from './complete-tools.ts';
import { pointerOfSource } from './kept-source.ts';

/** What of an API did not become tools. */
export function toolWarnings({ document, tools }: Pick<ServerRow, 'document' | 'tools'>): Warning[] {
  if (!isApi(document) || tools === null) return [];
  const pointer = pointerOfSource(toolsOf(document));
  const { toolCount, leftOutCount, orphanedEdits } = tools;
  return [
    ...(toolCount === 0 ? [{ code: 'no_tools', pointer, detail: 'This server has no tools: nothing that was imported became one, or all of them are hidden.' }] : []),
    ...(leftOutCount > 0 ? [{ code: 'operations_left_out', pointer, detail: `${leftOutCount} of its operations did not become tools; POST …/discover says which, and why.` }] : []),
    ...(orphanedEdits > 0 ? [{ code: 'edits_orphaned', pointer: '/tools/edits', detail: `${orphanedEdits} of these are of tools that the import does not have any more: they do nothing.` }] : []),
  ];
}
