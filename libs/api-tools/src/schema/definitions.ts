import type { JsonObject } from '../json-value.ts';
import type { Located, References } from '../openapi/references.ts';
import { Unusable } from '../openapi/unusable.ts';
import { convertSchema, type SchemaReader, type SchemaUse } from './convert-schema.ts';

export interface Definition {
  readonly schema: JsonObject | boolean;
  /** Characters as JSON. */
  readonly size: number;
  /** Names of definitions it refers to, each as often as it does. */
  readonly uses: readonly string[];
}

/** Characters of all schemas that one document is read into: many operations may refer to the same large one. */
const maxTotal = 128 * 1024 * 1024;

/** The definitions of one document, for one use: each is converted once, whichever tools have it. */
export class Definitions {
  readonly #references: References;
  readonly #reader: SchemaReader;
  readonly #names = new Map<string, string>();
  readonly #numbers = new Map<string, number>();
  readonly #places = new Map<string, Located>();
  readonly #converted = new Map<string, Definition>();
  #uses: string[] = [];
  #total = 0;

  constructor(references: References, use: SchemaUse) {
    this.#references = references;
    this.#reader = {
      use,
      define: (reference, pointer) => this.#define(reference, pointer),
      peek: (reference, pointer) => this.#references.find(reference, pointer).value,
    };
  }

  /** @throws Unusable remote_ref, broken_ref */
  convert({ value, pointer }: Located): Definition {
    if (this.#total > maxTotal) throw new Unusable('schema_too_large', pointer, 'comes after more schemas than one document can have');
    const before = this.#uses;
    this.#uses = [];
    try {
      const schema = convertSchema(value, pointer, this.#reader);
      const size = JSON.stringify(schema).length;
      this.#total += size;
      return { schema, size, uses: this.#uses };
    } finally {
      this.#uses = before;
    }
  }

  get(name: string): Definition {
    const known = this.#converted.get(name);
    if (known !== undefined) return known;
    const place = this.#places.get(name);
    const definition = place === undefined ? anything : this.convert(place);
    this.#converted.set(name, definition);
    return definition;
  }

  #define(reference: string, pointer: string): string {
    const place = this.#references.find(reference, pointer);
    let name = this.#names.get(place.pointer);
    if (name === undefined) {
      name = this.#freeName(place.pointer);
      this.#names.set(place.pointer, name);
      this.#places.set(name, place);
    }
    this.#uses.push(name);
    return name;
  }

  #freeName(pointer: string): string {
    const last = pointer.slice(pointer.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 100);
    const base = last === '' || last === '__proto__' ? 'schema' : last;
    let name = base;
    while (this.#places.has(name)) {
      const number = (this.#numbers.get(base) ?? 1) + 1;
      this.#numbers.set(base, number);
      name = `${base}_${number}`;
    }
    return name;
  }
}

const anything: Definition = { schema: true, size: 4, uses: [] };
