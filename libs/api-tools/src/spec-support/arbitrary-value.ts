import fc from 'fast-check';
import { isObject, type JsonObject } from '../json-value.ts';

const maxDepth = 5;

/** Values of a tool’s schema, as far as the keywords of our fixtures go; the rest is for whoever uses it to filter. */
export function arbitraryValue(schema: unknown, definitions: JsonObject, depth = 0): fc.Arbitrary<unknown> {
  if (!isObject(schema) || Object.keys(schema).every((key) => key === 'description' || key === 'default')) return depth > 2 ? fc.boolean() : anyJson;
  const below = (member: unknown): fc.Arbitrary<unknown> => arbitraryValue(member, definitions, depth + 1);
  const { $ref, enum: values, anyOf, oneOf, allOf, type } = schema;
  if (typeof $ref === 'string') return below(definitions[$ref.slice('#/$defs/'.length)]);
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(values)) return fc.constantFrom(...(values as unknown[]));
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return fc.oneof(...options.map(below));
  if (Array.isArray(allOf)) return below(allOf[0]);
  return fc.oneof(...([type ?? 'object'].flat() as string[]).map((name) => ofType(name, schema, below, depth)));
}

const anyJson = fc.jsonValue({ maxDepth: 2, noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** Half of them of the characters that something on the way could take for its own. */
const arbitraryText = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(fc.string({ unit: 'binary', maxLength }), fc.string({ unit: fc.constantFrom(...'/?#[]@!$&\'()*+,;=:%2Ff \\.a|"{}<>^`~é'), maxLength }));

function ofType(type: string, schema: JsonObject, below: (member: unknown) => fc.Arbitrary<unknown>, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: Number(schema['minimum'] ?? -1_000_000), max: Number(schema['maximum'] ?? 1_000_000) });
    case 'number':
      return fc.double({ min: Number(schema['minimum'] ?? -1e9), max: Number(schema['maximum'] ?? 1e21), noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value));
    case 'string':
      return typeof schema['pattern'] === 'string' ? fc.stringMatching(new RegExp(schema['pattern'])) : arbitraryText(Math.min(Number(schema['maxLength'] ?? 20), 20));
    case 'array':
      return fc.array(below(schema['items']), { minLength: Number(schema['minItems'] ?? 0), maxLength: depth > maxDepth ? Number(schema['minItems'] ?? 0) : Math.min(Number(schema['maxItems'] ?? 3), 3) });
    default:
      return ofObject(schema, below, depth);
  }
}

function ofObject({ properties, required, additionalProperties }: JsonObject, below: (member: unknown) => fc.Arbitrary<unknown>, depth: number): fc.Arbitrary<unknown> {
  const needed = new Set(Array.isArray(required) ? (required as string[]) : []);
  const members = Object.entries(isObject(properties) ? properties : {}).filter(([name]) => depth <= maxDepth || needed.has(name));
  if (isObject(properties) && 'base64' in properties) return fc.record({ base64: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')), contentType: fc.constantFrom('image/png', 'text/plain') }, { requiredKeys: ['base64'] });
  const named = fc.record(Object.fromEntries(members.map(([name, member]) => [name, below(member)])), { requiredKeys: members.map(([name]) => name).filter((name) => needed.has(name)) });
  if (additionalProperties === false || additionalProperties === undefined || depth > 2) return named;
  return fc.tuple(fc.dictionary(fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }).filter((name) => name !== '__proto__'), below(additionalProperties), { maxKeys: 3 }), named).map(([more, members_]) => ({ ...more, ...(members_ as object) }));
}
