import { isObject, type JsonObject } from '../json-value.ts';
import type { SchemaPatterns } from './schema-patterns.ts';
import { areUnique, isSameValue } from './same-value.ts';

/** Keywords that hold no schema, by what they say of a value that does not fit (JSON Schema 2020-12 validation, section 6). */
type PlainCheck = (given: never, value: unknown, patterns: SchemaPatterns) => string | undefined;

export const plainChecks = new Map<string, PlainCheck>([
  ['type', (given: string | string[], value) => ([given].flat().some((type) => isOfType(type, value)) ? undefined : `must be ${[given].flat().join(' or ')}`)],
  ['enum', (given: unknown[], value) => (given.some((entry) => isSameValue(entry, value)) ? undefined : `must be one of ${listed(given)}`)],
  ['const', (given: unknown, value) => (isSameValue(given, value) ? undefined : `must be ${listed([given])}`)],
  ...numbers([
    ['minimum', (given, value) => value >= given, 'must be >='],
    ['maximum', (given, value) => value <= given, 'must be <='],
    ['exclusiveMinimum', (given, value) => value > given, 'must be >'],
    ['exclusiveMaximum', (given, value) => value < given, 'must be <'],
    ['multipleOf', (given, value) => isMultiple(value / given), 'must be multiple of'],
  ]),
  ...counts('Length', 'characters', (value) => (typeof value === 'string' ? lengthOf(value) : undefined)),
  ...counts('Items', 'items', (value) => (Array.isArray(value) ? value.length : undefined)),
  ...counts('Properties', 'properties', (value) => (isObject(value) ? Object.keys(value).length : undefined)),
  ['pattern', (given: string, value, patterns) => (typeof value !== 'string' || patterns.matches(given, value) ? undefined : `must match pattern "${given}"`)],
  ['uniqueItems', (given: boolean, value) => (!given || !Array.isArray(value) || areUnique(value) ? undefined : 'must not have the same entry twice')],
]);

export function missingOf(names: readonly string[], value: JsonObject): string[] {
  return names.filter((name) => !Object.hasOwn(value, name) || value[name] === undefined);
}

function numbers(checks: readonly (readonly [string, (given: number, value: number) => boolean, string])[]): [string, PlainCheck][] {
  return checks.map(([keyword, isFit, detail]) => [keyword, (given: number, value: unknown) => (typeof value !== 'number' || isFit(given, value) ? undefined : `${detail} ${given}`)]);
}

function counts(what: string, unit: string, count: (value: unknown) => number | undefined): [string, PlainCheck][] {
  const check = (isFit: (given: number, counted: number) => boolean, detail: string): PlainCheck => (given: number, value: unknown) => {
    const counted = count(value);
    return counted === undefined || isFit(given, counted) ? undefined : `must NOT have ${detail} than ${given} ${unit}`;
  };
  return [
    [`max${what}`, check((given, counted) => counted <= given, 'more')],
    [`min${what}`, check((given, counted) => counted >= given, 'fewer')],
  ];
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** As far as binary fractions can tell: 0.3 is a multiple of 0.1. */
const isMultiple = (quotient: number): boolean => Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient));

/** Characters, not the halves of which UTF-16 makes some. */
function lengthOf(text: string): number {
  let length = text.length;
  for (let index = 0; index + 1 < text.length; index += 1) {
    if ((text.charCodeAt(index) & 0xfc00) !== 0xd800) continue;
    length -= 1;
    index += 1;
  }
  return length;
}

const most = 20;

function listed(values: readonly unknown[]): string {
  const texts = values.slice(0, most).map((value) => JSON.stringify(value).slice(0, 100));
  return values.length > most ? `${texts.join(', ')}, …` : texts.join(', ');
}
