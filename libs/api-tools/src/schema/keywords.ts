import { isObject } from '../json-value.ts';

const types: ReadonlySet<unknown> = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']);

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isType = (value: unknown): boolean => types.has(value) || (Array.isArray(value) && value.length > 0 && value.every((type) => types.has(type)));

/**
 * The keywords of JSON Schema 2020-12 that a tool’s schema may have and that hold no schemas, each with what it has to look like:
 * one that does not is left out, since a validator would refuse the whole schema for it.
 */
export const plainKeywords: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['type', isType],
  ['enum', (value) => Array.isArray(value) && value.length > 0],
  ['const', () => true],
  ['title', isText],
  ['description', isText],
  ['default', () => true],
  ['deprecated', isFlag],
  ['format', isText],
  ['pattern', (value) => isText(value) && (value as string).length <= 1_000],
  ['contentEncoding', isText],
  ['contentMediaType', isText],
  ['minimum', isNumber],
  ['maximum', isNumber],
  ['exclusiveMinimum', isNumber],
  ['exclusiveMaximum', isNumber],
  ['multipleOf', (value) => isNumber(value) && (value as number) > 0],
  ['minLength', isCount],
  ['maxLength', isCount],
  ['minItems', isCount],
  ['maxItems', isCount],
  ['minProperties', isCount],
  ['maxProperties', isCount],
  ['uniqueItems', isFlag],
  ['required', isTextList],
  ['dependentRequired', (value) => isObject(value) && Object.values(value).every(isTextList)],
]);

export const schemaKeywords: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not', 'contains', 'propertyNames', 'if', 'then', 'else', 'unevaluatedProperties', 'unevaluatedItems']);
export const schemaListKeywords: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
export const schemaMapKeywords: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'dependentSchemas']);

/** Say something about a value and constrain nothing. */
export const annotationKeywords: ReadonlySet<string> = new Set(['title', 'description', 'default', 'deprecated']);

/** What is left of a schema that describes answers: their shape. An API adds values and leaves out members before its document says so. */
export const shapeKeywords: ReadonlySet<string> = new Set(['type', 'title', 'description', 'items', 'prefixItems', 'properties', 'additionalProperties', 'allOf', 'anyOf', 'oneOf']);
