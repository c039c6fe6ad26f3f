import { type GraphQLInputType, isEnumType, isInputObjectType, isListType, isNonNullType } from 'graphql';
import type { JsonObject } from '../json-value.ts';
import type { Definition } from '../schema/definitions.ts';

const scalars: ReadonlyMap<string, JsonObject> = new Map<string, JsonObject>([
  ['Int', { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 }],
  ['Float', { type: 'number' }],
  ['String', { type: 'string' }],
  ['Boolean', { type: 'boolean' }],
  ['ID', { type: ['string', 'integer'] }],
]);

/** Types of GraphQL’s inputs as JSON Schema (GraphQL, October 2021, section 3.12: nullable unless it says otherwise). */
export class InputSchemas {
  readonly #definitions = new Map<string, Definition | undefined>();

  schemaOf(type: GraphQLInputType, uses: string[] = []): JsonObject {
    if (isNonNullType(type)) return this.#named(type.ofType, uses);
    const schema = this.#named(type, uses);
    return { anyOf: [schema, { type: 'null' }] };
  }

  readonly get = (name: string): Definition => this.#definitions.get(name) ?? { schema: true, size: 4, uses: [] };

  #named(type: GraphQLInputType, uses: string[]): JsonObject {
    if (isListType(type)) return { type: 'array', items: this.schemaOf(type.ofType, uses) };
    if (isInputObjectType(type)) {
      uses.push(type.name);
      this.#define(type.name, () => {
        const below: string[] = [];
        const fields = Object.values(type.getFields());
        const schema = {
          type: 'object',
          properties: Object.fromEntries(fields.map((field) => [field.name, { ...this.schemaOf(field.type, below), ...described(field.description) }])),
          required: fields.filter((field) => isNonNullType(field.type) && field.defaultValue === undefined && (field as { default?: unknown }).default === undefined).map(({ name }) => name),
          additionalProperties: false,
        };
        return { schema, size: JSON.stringify(schema).length, uses: below };
      });
      return { $ref: `#/$defs/${type.name}` };
    }
    if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
    const scalar = 'name' in type ? scalars.get(type.name) : undefined;
    return scalar ?? { description: `A value of ${String(type)}.` };
  }

  /** Named before it is described: it may have itself in it. */
  #define(name: string, describe: () => Definition): void {
    if (this.#definitions.has(name)) return;
    this.#definitions.set(name, undefined);
    this.#definitions.set(name, describe());
  }
}

export const described = (description: string | null | undefined): JsonObject => (description ? { description: description.slice(0, 2_000) } : {});
