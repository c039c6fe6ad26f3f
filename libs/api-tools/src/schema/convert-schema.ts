import { pointerOf } from '@gatehouse/errors';
import { isObject, type JsonObject, own } from '../json-value.ts';
import { annotationKeywords, plainKeywords, schemaKeywords, schemaListKeywords, schemaMapKeywords, shapeKeywords } from './keywords.ts';

/** `input`: what a caller may send; `output`: what an API answers, of which only the shape is taken. */
export type SchemaUse = 'input' | 'output';

export interface SchemaReader {
  readonly use: SchemaUse;
  /** The name of the definition that a reference of the document becomes. */
  readonly define: (reference: string, pointer: string) => string;
  /** The schema a reference of the document leads to. */
  readonly peek: (reference: string, pointer: string) => unknown;
}

const maxDepth = 40;
const maxDescription = 2_000;
const maxEnum = 1_000;

/**
 * A schema of OpenAPI 3.0 or 3.1 as one of JSON Schema 2020-12: what a validator knows, in the form that it knows, references by
 * the names of definitions. Deeper than anything that is written by people it is cut, and then takes anything.
 */
export function convertSchema(schema: unknown, pointer: string, reader: SchemaReader, depth = 0): JsonObject | boolean {
  if (typeof schema === 'boolean') return reader.use === 'output' ? true : schema;
  if (!isObject(schema) || depth > maxDepth) return true;
  const reference = own(schema, '$ref');
  if (typeof reference === 'string') return { $ref: `#/$defs/${reader.define(reference, pointer)}`, ...annotationsOf(schema) };

  const keywords = new Map<string, unknown>();
  const below = (value: unknown, ...path: PropertyKey[]): JsonObject | boolean => convertSchema(value, `${pointer}${pointerOf(path)}`, reader, depth + 1);
  for (const [key, value] of Object.entries(schema)) {
    if (reader.use === 'output' && !shapeKeywords.has(key)) continue;
    if (plainKeywords.get(key)?.(value) === true) keywords.set(key, value);
    else if (schemaKeywords.has(key) && (isObject(value) || typeof value === 'boolean')) keywords.set(key, below(value, key));
    else if (schemaListKeywords.has(key) && Array.isArray(value) && value.length > 0) keywords.set(key, value.map((entry, index) => below(entry, key, index)));
    else if (schemaMapKeywords.has(key) && isObject(value)) {
      const members = Object.entries(value).filter(([name, member]) => name !== '__proto__' && !isForTheOtherWay(member, `${pointer}${pointerOf([key, name])}`, reader));
      keywords.set(key, Object.fromEntries(members.map(([name, member]) => [name, below(member, key, name)])));
    }
  }
  tidy(keywords, schema, pointer, reader);
  return reader.use === 'output' ? loosened(keywords) : nullable(Object.fromEntries(keywords), schema);
}

const annotationsOf = (schema: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([key, value]) => annotationKeywords.has(key) && plainKeywords.get(key)?.(value) === true));

/** What only the server says is not for its callers to send, and the other way round. */
function isForTheOtherWay(member: unknown, pointer: string, { use, peek }: SchemaReader): boolean {
  const flag = use === 'input' ? 'readOnly' : 'writeOnly';
  if (!isObject(member)) return false;
  if (own(member, flag) === true) return true;
  const reference = own(member, '$ref');
  const target = typeof reference === 'string' ? peek(reference, pointer) : undefined;
  return isObject(target) && own(target, flag) === true;
}

function tidy(keywords: Map<string, unknown>, schema: JsonObject, pointer: string, reader: SchemaReader): void {
  const description = keywords.get('description');
  if (typeof description === 'string' && description.length > maxDescription) keywords.set('description', `${description.slice(0, maxDescription)}…`);
  const values = keywords.get('enum');
  if (Array.isArray(values) && values.length > maxEnum) keywords.delete('enum');
  const required = keywords.get('required');
  const properties = own(schema, 'properties');
  if (Array.isArray(required)) {
    const isLeftOut = (name: string): boolean => name === '__proto__' || (isObject(properties) && isForTheOtherWay(own(properties, name), pointer, reader));
    keywords.set('required', [...new Set(required as string[])].filter((name) => !isLeftOut(name)));
  }
  // OpenAPI 3.0 section 4.7.24: the bounds of draft 4, where whether a bound is exclusive is a flag beside it.
  for (const [flag, bound] of [['exclusiveMinimum', 'minimum'], ['exclusiveMaximum', 'maximum']] as const) {
    if (own(schema, flag) !== true || !keywords.has(bound) || !plainKeywords.has(flag)) continue;
    keywords.set(flag, keywords.get(bound));
    keywords.delete(bound);
  }
}

/** `nullable` of OpenAPI 3.0, wherever it stands: what was meant is that null is taken. */
function nullable(converted: JsonObject, schema: JsonObject): JsonObject {
  if (own(schema, 'nullable') !== true) return converted;
  const { type, enum: values } = converted;
  if (type === undefined) return Object.keys(converted).some((key) => !annotationKeywords.has(key)) ? { anyOf: [converted, { type: 'null' }] } : converted;
  const types = [type].flat();
  return {
    ...converted,
    type: types.includes('null') ? types : [...types, 'null'],
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}

/** A client refuses an answer that its schema does not take, and no answer is worse than a loose schema. */
function loosened(keywords: Map<string, unknown>): JsonObject {
  const type = keywords.get('type');
  if (type !== undefined) keywords.set('type', [...new Set([type, 'null'].flat())]);
  const additional = keywords.get('additionalProperties');
  if (additional === false) keywords.delete('additionalProperties');
  const alternatives = keywords.get('oneOf');
  if (alternatives !== undefined) {
    keywords.delete('oneOf');
    if (!keywords.has('anyOf')) keywords.set('anyOf', alternatives);
  }
  return Object.fromEntries(keywords);
}
