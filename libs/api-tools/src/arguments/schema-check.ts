import { type Problem, pointerOf } from '@gatehouse/errors';
import { isObject, type JsonObject, own } from '../json-value.ts';
import { missingOf, plainChecks } from './plain-checks.ts';
import type { SchemaPatterns } from './schema-patterns.ts';

/** Schemas visited for one call. References make it exponential in the arguments’ depth for schemas that are made for that. */
const maxSteps = 200_000;
const maxProblems = 20;
/** For one step. */
const patternCharacters = 16;
const countedCharacters = 256;
const comparedCharacters = 32;

export class TooManySteps extends Error {}

/** Where a value is in the arguments. */
interface Place {
  readonly key: PropertyKey;
  readonly above: Place | undefined;
}

/** Members and entries that some schema has looked at: what `unevaluated…` is not about (JSON Schema 2020-12, section 11). */
class Seen {
  readonly keys = new Set<PropertyKey>();

  add(other: Seen): void {
    for (const key of other.keys) this.keys.add(key);
  }
}

/** One walk of arguments along their schema: of JSON Schema 2020-12 what `keywords.ts` lets into a tool’s schema. */
export class SchemaCheck {
  readonly #root: JsonObject;
  readonly #patterns: SchemaPatterns;
  #args: unknown;
  #size: number | undefined;
  #steps = 0;

  constructor(root: JsonObject, patterns: SchemaPatterns) {
    this.#root = root;
    this.#patterns = patterns;
  }

  /** @throws TooManySteps, RangeError */
  problemsOf(value: unknown): Problem[] {
    const problems: Problem[] = [];
    this.#args = value;
    this.#check(this.#root, value, undefined, problems, new Seen());
    return problems;
  }

  /** @param problems what is wrong goes there. @returns whether nothing is */
  #check(schema: unknown, value: unknown, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    this.#step(1);
    if (schema === false) return report(problems, place, 'must not be there');
    if (!isObject(schema)) return true;
    let isFit = true;
    for (const keyword in schema) {
      this.#chargeFor(keyword, value);
      const detail = plainChecks.get(keyword)?.(schema[keyword] as never, value, this.#patterns);
      if (detail !== undefined) isFit = report(problems, place, detail);
    }
    if (isObject(value)) isFit = this.#checkMembers(schema, value, place, problems, seen) && isFit;
    else if (Array.isArray(value)) isFit = this.#checkEntries(schema, value, place, problems, seen) && isFit;
    isFit = this.#checkInPlace(schema, value, place, problems, seen) && isFit;
    return this.#checkUnevaluated(schema, value, place, problems, seen) && isFit;
  }

  #checkMembers(schema: JsonObject, value: JsonObject, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    const { required, dependentRequired, properties, patternProperties, additionalProperties, propertyNames } = schema;
    let isFit = true;
    if (Array.isArray(required)) for (const name of missingOf(required as string[], value)) isFit = report(problems, { key: name, above: place }, 'is required');
    for (const [name, others] of entriesOf(dependentRequired)) {
      if (!Object.hasOwn(value, name)) continue;
      for (const other of missingOf(others as string[], value)) isFit = report(problems, { key: other, above: place }, `is required where ${name} is given`);
    }
    const patterns = entriesOf(patternProperties);
    for (const [name, member] of Object.entries(value)) {
      const below = { key: name, above: place };
      let isKnown = false;
      const checkBy = (by: unknown): void => {
        isKnown = true;
        isFit = this.#check(by, member, below, problems, new Seen()) && isFit;
      };
      if (isObject(properties) && Object.hasOwn(properties, name)) checkBy(properties[name]);
      for (const [pattern, by] of patterns) if (this.#matches(pattern, name)) checkBy(by);
      if (!isKnown && additionalProperties === false) isFit = report(problems, below, 'is not one of the arguments here');
      else if (!isKnown && additionalProperties !== undefined) checkBy(additionalProperties);
      if (isKnown) seen.keys.add(name);
      if (propertyNames !== undefined && !this.#check(propertyNames, name, below, [], new Seen())) isFit = report(problems, below, 'must not have this name');
    }
    return isFit;
  }

  #checkEntries({ prefixItems, items, contains }: JsonObject, value: readonly unknown[], place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    let isFit = true;
    let found = contains === undefined;
    const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
    for (const [index, entry] of value.entries()) {
      const by = index < first.length ? first[index] : items;
      const below = { key: index, above: place };
      if (by !== undefined) {
        seen.keys.add(index);
        isFit = this.#check(by, entry, below, problems, new Seen()) && isFit;
      }
      if (contains !== undefined && this.#check(contains, entry, below, [], new Seen())) {
        found = true;
        seen.keys.add(index);
      }
    }
    return found ? isFit : report(problems, place, 'must have an entry of the kind that it has to contain');
  }

  /** Schemas about the very same value. */
  #checkInPlace(schema: JsonObject, value: unknown, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    const { $ref, allOf, dependentSchemas, not } = schema;
    let isFit = true;
    const checkBy = (by: unknown): void => void (isFit = this.#checkAlso(by, value, place, problems, seen) && isFit);
    if (typeof $ref === 'string') checkBy(this.#definition($ref));
    if (Array.isArray(allOf)) for (const by of allOf) checkBy(by);
    if (isObject(value)) for (const [name, by] of entriesOf(dependentSchemas)) if (Object.hasOwn(value, name)) checkBy(by);
    if (not !== undefined && this.#check(not, value, place, [], new Seen())) isFit = report(problems, place, 'must NOT be valid');
    if (schema['if'] !== undefined) checkBy(schema[this.#checkAlso(schema['if'], value, place, [], seen) ? 'then' : 'else']);
    isFit = this.#checkAlternatives(schema['anyOf'], 'anyOf', value, place, problems, seen) && isFit;
    return this.#checkAlternatives(schema['oneOf'], 'oneOf', value, place, problems, seen) && isFit;
  }

  #checkAlternatives(alternatives: unknown, keyword: 'anyOf' | 'oneOf', value: unknown, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    if (!Array.isArray(alternatives)) return true;
    let fitting = 0;
    const unfit: Problem[] = [];
    for (const by of alternatives) if (this.#checkAlso(by, value, place, unfit, seen)) fitting += 1;
    if (fitting === 1 || (fitting > 1 && keyword === 'anyOf')) return true;
    if (fitting === 0) for (const problem of unfit) add(problems, problem);
    return report(problems, place, keyword === 'anyOf' ? 'must match a schema in anyOf' : 'must match exactly one schema in oneOf');
  }

  #checkAlso(schema: unknown, value: unknown, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    const own = new Seen();
    const isFit = this.#check(schema, value, place, problems, own);
    if (isFit) seen.add(own);
    return isFit;
  }

  #checkUnevaluated({ unevaluatedProperties: members, unevaluatedItems: entries }: JsonObject, value: unknown, place: Place | undefined, problems: Problem[], seen: Seen): boolean {
    const by = isObject(value) ? members : Array.isArray(value) ? entries : undefined;
    if (by === undefined) return true;
    let isFit = true;
    const all: (readonly [PropertyKey, unknown])[] = Array.isArray(value) ? [...value.entries()] : Object.entries(value as JsonObject);
    for (const [key, member] of all) {
      if (seen.keys.has(key)) continue;
      seen.keys.add(key);
      const below = { key, above: place };
      if (by === false) isFit = report(problems, below, 'is not one of the arguments here');
      else isFit = this.#check(by, member, below, problems, new Seen()) && isFit;
    }
    return isFit;
  }

  #matches(pattern: string, name: string): boolean {
    this.#step(1 + name.length / patternCharacters);
    return this.#patterns.matches(pattern, name);
  }

  /** What takes time that grows with the value counts for more than one step. */
  #chargeFor(keyword: string, value: unknown): void {
    if (typeof value === 'string') {
      if (keyword === 'pattern') this.#step(value.length / patternCharacters);
      else if (keyword === 'maxLength' || keyword === 'minLength') this.#step(value.length / countedCharacters);
    } else if (keyword === 'uniqueItems' && Array.isArray(value)) this.#step((this.#size ??= JSON.stringify(this.#args).length) / comparedCharacters);
  }

  #step(cost: number): void {
    this.#steps += cost;
    if (this.#steps > maxSteps) throw new TooManySteps();
  }

  #definition(reference: string): unknown {
    const name = /^#\/\$defs\/([^/]+)$/.exec(reference)?.[1]?.replaceAll('~1', '/').replaceAll('~0', '~');
    const definitions = this.#root['$defs'];
    return name !== undefined && isObject(definitions) ? own(definitions, name) : undefined;
  }
}

const entriesOf = (value: unknown): [string, unknown][] => (isObject(value) ? Object.entries(value) : []);

function report(problems: Problem[], place: Place | undefined, detail: string): false {
  if (problems.length < maxProblems) add(problems, { pointer: pointerTo(place), detail });
  return false;
}

function add(problems: Problem[], problem: Problem): void {
  const isKnown = problems.some(({ pointer, detail }) => pointer === problem.pointer && detail === problem.detail);
  if (!isKnown && problems.length < maxProblems) problems.push(problem);
}

function pointerTo(place: Place | undefined): string {
  const keys: PropertyKey[] = [];
  for (let at = place; at !== undefined; at = at.above) keys.unshift(at.key);
  return pointerOf(keys);
}
