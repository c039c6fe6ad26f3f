import { readFile } from 'node:fs/promises';

/** By name: its type, and its labels in the order of the alphabet. */
export type MetricDescriptions = ReadonlyMap<string, string>;

/** What docs/metrics.md says that a plane serves. */
export async function documentedMetrics(plane: 'Control plane' | 'Data plane'): Promise<MetricDescriptions> {
  const text = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const sections = text.split(/^## /m).filter((section) => section.startsWith('Both planes\n') || section.startsWith(`${plane}\n`));
  const rows = sections.flatMap((section) => [...section.matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|/gm)]);
  return new Map(rows.map(([, name = '', type = '', labels = '']) => [name, describe(type, labels.split(',').map((label) => label.trim()))]));
}

/**
 * What a plane serves. A metric that has no series yet has no labels to see.
 * @param text of its `/metrics`
 */
export function servedMetrics(text: string): MetricDescriptions {
  const described = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']): [string, string] => {
    const series = text.split('\n').find((line) => line.startsWith(`${name}{`) || line.startsWith(`${name}_bucket{`));
    const labels = [...(series ?? '').matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le');
    return [name, describe(type, labels)];
  });
  return new Map(described);
}

/** Those of the documentation with the labels that were to be seen: to be compared with what is served. */
export const comparable = (documented: MetricDescriptions, served: MetricDescriptions): MetricDescriptions =>
  new Map([...documented].map(([name, description]) => [name, served.get(name) === description.split(' ')[0] ? (description.split(' ')[0] ?? '') : description]));

const describe = (type: string, labels: readonly string[]): string => [type, ...labels.filter((label) => label !== '').sort()].join(' ');
