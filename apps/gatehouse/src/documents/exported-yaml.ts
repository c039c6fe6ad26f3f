import { Document, isMap, isScalar, visit, type YAMLMap } from 'yaml';
import { readOnlyFields } from './document-kinds.ts';
import { isSecretState } from './find-differences.ts';

const secretNote = ' a secret: this leaves it as it is; for another gateway write {fromEnv: NAME}';

/** One document as YAML that can be applied: `kind` and `workspace` in front, nothing that only reading adds. */
export function exportedYaml({ kind, workspace, ...item }: Readonly<Record<string, unknown>> & { kind: string }): string {
  const fields = Object.entries(item).filter(([field, value]) => !readOnlyFields.has(field) && value !== undefined);
  const document = new Document({ kind, ...(workspace !== undefined && { workspace }), ...Object.fromEntries(fields) });
  visit(document, {
    // There are none in it, and it may be long.
    Pair: (_key, pair) => (isScalar(pair.key) && pair.key.value === 'tools' ? visit.SKIP : undefined),
    Map: (_key, map: YAMLMap) => {
      const value: unknown = map.toJSON();
      if (!isSecretState(value)) return;
      map.delete('updatedAt');
      map.flow = true;
      map.comment = secretNote;
    },
  });
  if (isMap(document.contents)) document.contents.flow = false;
  return document.toString({ lineWidth: 120, flowCollectionPadding: false });
}
