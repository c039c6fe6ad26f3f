import { isObject, type JsonObject } from '../json-value.ts';
import type { Definition } from './definitions.ts';
import { annotationKeywords, schemaKeywords, schemaListKeywords, schemaMapKeywords } from './keywords.ts';

/** Where definitions come from: by name. */
export interface DefinitionSource {
  readonly get: (name: string) => Definition;
}

export interface CompleteSchema {
  readonly schema: JsonObject;
  /** Definitions that are not described, since all of them together would be too much for a list of tools. */
  readonly cut: boolean;
}

/** Deeper, a definition stays one, whatever else speaks for putting it where it is used. */
const maxDepth = 24;
const smallSize = 160;

/**
 * A schema with the definitions that it reaches in `$defs`. Those that are used once stand in their place instead, and so do small
 * ones, since many clients read schemas no further than their first `$ref`. What is used more often, or by itself, is written once,
 * so that what refers to itself ends, and what refers to much twice does not double with each step.
 * @param maxSize characters as JSON; definitions past it, the nearest first, take anything
 */
export function completeSchema(root: JsonObject, source: DefinitionSource, maxSize: number): CompleteSchema {
  const { counts, known, cut } = reachable(root, source, maxSize);
  const isInPlace = (name: string, depth: number): boolean => {
    const { uses, size } = definitionOf(name);
    // Used once and reached from the root, it is in no circle: each member of a circle that is reached is used from outside or is the way in.
    return depth < maxDepth && (counts.get(name) === 1 || (uses.length === 0 && size <= smallSize));
  };
  const definitionOf = (name: string): Definition => known.get(name) ?? undescribed;
  const definitions = new Map<string, unknown>();
  const pending: string[] = [];
  const asked = new Set<string>();

  const build = (schema: unknown, depth: number): unknown => {
    if (!isObject(schema)) return schema;
    const name = referredName(schema);
    if (name !== undefined) {
      if (isInPlace(name, depth)) return withSiblings(build(definitionOf(name).schema, depth + 1), schema);
      if (!asked.has(name)) pending.push(name);
      asked.add(name);
      return schema;
    }
    return mapSchemas(schema, (member) => build(member, depth + 1));
  };

  const built = build(root, 0) as JsonObject;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) definitions.set(name, build(definitionOf(name).schema, 1));
  const sorted = [...definitions].sort(([a], [b]) => (a < b ? -1 : 1));
  return { schema: sorted.length === 0 ? built : { ...built, $defs: Object.fromEntries(sorted) }, cut };
}

const undescribed: Definition = { schema: { description: 'Not described here: the schema of this tool would be too large.' }, size: 80, uses: [] };

function reachable(root: JsonObject, source: DefinitionSource, maxSize: number): { counts: Map<string, number>; known: Map<string, Definition>; cut: boolean } {
  const counts = new Map<string, number>();
  const known = new Map<string, Definition>();
  let size = 0;
  let cut = false;
  // In order of distance: what is cut is what is furthest away.
  const queue: string[] = [];
  const count = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (counts.get(name) === 1) queue.push(name);
  };
  forEachReference(root, count);
  for (const name of queue) {
    const definition = source.get(name);
    if (size + definition.size > maxSize) {
      cut = true;
      continue;
    }
    size += definition.size;
    known.set(name, definition);
    definition.uses.forEach(count);
  }
  return { counts, known, cut };
}

function forEachReference(schema: unknown, visit: (name: string) => void): void {
  if (!isObject(schema)) return;
  const name = referredName(schema);
  if (name !== undefined) visit(name);
  else mapSchemas(schema, (member) => (forEachReference(member, visit), member));
}

const prefix = '#/$defs/';
const referredName = ({ $ref }: JsonObject): string | undefined => (typeof $ref === 'string' && $ref.startsWith(prefix) ? $ref.slice(prefix.length) : undefined);

function mapSchemas(schema: JsonObject, change: (member: unknown) => unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (schemaKeywords.has(key)) return [key, change(value)];
      if (schemaListKeywords.has(key) && Array.isArray(value)) return [key, value.map(change)];
      if (schemaMapKeywords.has(key) && isObject(value)) return [key, Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]))];
      return [key, value];
    }),
  );
}

/** What stands beside a `$ref` says more of the same value (JSON Schema 2020-12, core, section 8.2.3.1). */
function withSiblings(target: unknown, { $ref: _, ...siblings }: JsonObject): unknown {
  if (Object.keys(siblings).length === 0) return target;
  if (!isObject(target)) return target === true ? siblings : target;
  return Object.keys(siblings).every((key) => annotationKeywords.has(key)) ? { ...target, ...siblings } : { ...siblings, allOf: [target] };
}
