import { canonicalName, type HeaderRules, type SelectionRow, type Verdict } from '@gatehouse/header-policy';

/** What becomes of a row of a server's selection, whatever value a caller sends. */
export type RowFate = { readonly row: SelectionRow } & (
  | { readonly fate: 'passes' }
  /** The header has its own rule (D3, docs/rules.md). */
  | { readonly fate: 'needs_no_row' }
  | { readonly fate: 'dropped'; readonly verdict: Verdict }
);

/** The fate of each selected row, as the data plane decides it: by the same compiled rules. */
export function rowFates(rules: HeaderRules): RowFate[] {
  const { selection } = rules.options;
  if (selection.mode !== 'rows') return [];
  const earlier = new Map<string, number>();
  return selection.rows.map((row): RowFate => {
    if (canonicalName(row.source) === 'x-upstream-authorization') return { row, fate: 'needs_no_row' };
    // Several rows may have one source: its passes come in their order.
    const source = row.source.toLowerCase();
    const nth = earlier.get(source) ?? 0;
    earlier.set(source, nth + 1);
    const { dropped, passes } = rules.decide(row.source);
    const verdict = dropped ?? passes[nth]?.verdict;
    return verdict?.action === 'dropped' ? { row, fate: 'dropped', verdict } : { row, fate: 'passes' };
  });
}
