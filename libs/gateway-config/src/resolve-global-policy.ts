import { canonicalName } from '@gatehouse/header-policy';
import type { HeaderMapping } from './header-policy-fields.ts';
import { defaultMaxValueBytes } from './header-policy-fields.ts';
import type { GlobalHeaderPolicy, StoredHeaderPolicy } from './header-policy-document.ts';

/** What the environment says about pass-through: the settings HEADER_PASSTHROUGH, PASSTHROUGH_HEADERS and PASSTHROUGH_HEADERS_SOURCE. */
export interface EnvironmentPolicy {
  readonly enabled: boolean;
  readonly list: readonly string[];
  /** Absent: the document's, or `db`. */
  readonly source: 'db' | 'env' | 'merge' | undefined;
}

type Row = GlobalHeaderPolicy['rows'][number];
type Selected = Pick<GlobalHeaderPolicy, 'mode' | 'modeFrom' | 'rows'>;

/**
 * The global policy, of the document (if there is one) and the environment. Either may switch pass-through off; neither can
 * switch on what the other has switched off.
 */
export function resolveGlobalPolicy(document: StoredHeaderPolicy | undefined, environment: EnvironmentPolicy): GlobalHeaderPolicy {
  // Not even looked at where the environment says so.
  const stored = environment.source === 'env' ? undefined : document;
  const source = environment.source ?? stored?.source ?? 'db';
  const isOffByDocument = environment.enabled && stored?.enabled === false;
  return {
    enabled: environment.enabled && !isOffByDocument,
    enabledFrom: isOffByDocument ? 'global' : 'environment',
    ...select(stored, environment.list, source),
    restricted: stored?.restricted ?? [],
    overwriteBaseHeaders: stored?.overwriteBaseHeaders ?? false,
    maxValueBytes: stored?.maxValueBytes ?? defaultMaxValueBytes,
    maxValueBytesFrom: stored?.maxValueBytes === undefined ? 'built-in' : 'global',
  };
}

function select(stored: StoredHeaderPolicy | undefined, list: readonly string[], source: 'db' | 'env' | 'merge'): Selected {
  const environmentRows = addRows([], list.map(environmentRow));
  const ofEnvironment: Selected = environmentRows.length > 0 ? { mode: 'rows', modeFrom: 'environment', rows: environmentRows } : { mode: 'none', modeFrom: 'built-in', rows: [] };
  if (source === 'env' || stored?.mode === undefined) return ofEnvironment;
  if (stored.mode === 'all') return { mode: 'all', modeFrom: 'global', rows: [] };
  const rows = [...(stored.list ?? []).map(listRow), ...(stored.mappings ?? []).map(mappingRow)];
  if (source === 'merge') addRows(rows, environmentRows);
  return rows.length === 0 ? { mode: 'none', modeFrom: 'global', rows } : { mode: 'rows', modeFrom: 'global', rows };
}

/** Adds the rows whose header is not in `rows` yet. A mapping's target is its own: nobody may send it beside the mapping. */
function addRows(rows: Row[], more: readonly Row[]): Row[] {
  const sources = new Set(rows.map((row) => row.source.toLowerCase()));
  const targets = new Set(rows.map((row) => canonicalName(row.target)));
  for (const row of more) {
    if (sources.has(row.source.toLowerCase()) || targets.has(canonicalName(row.target))) continue;
    sources.add(row.source.toLowerCase());
    rows.push(row);
  }
  return rows;
}

const listRow = (name: string): Row => ({ source: name, target: name, rule: `list ${name}`, from: 'global' });
const environmentRow = (name: string): Row => ({ source: name, target: name, rule: `GATEHOUSE_PASSTHROUGH_HEADERS ${name}`, from: 'environment' });
const mappingRow = ({ source, target }: HeaderMapping): Row => ({ source, target: target || source, rule: mappingRule({ source, target }), from: 'global' });

/** How a verdict names a mapping. */
export const mappingRule = ({ source, target }: HeaderMapping): string => `mapping ${source} → ${target || source}`;

/** That of a deployment which says nothing: nothing passes unless a server says so. */
export const noGlobalPolicy: GlobalHeaderPolicy = resolveGlobalPolicy(undefined, { enabled: true, list: [], source: undefined });

/** In the place of one that is not known: nothing passes at all, as the one that is missing may say that nothing should. */
export const unknownGlobalPolicy: GlobalHeaderPolicy = { ...noGlobalPolicy, enabled: false, enabledFrom: 'built-in' };
