import type { OpenAPIObject } from '@nestjs/swagger';

const suffix = '_Output';
const base = '#/components/schemas/';

/**
 * Schemas of answers come named `X_Output`. They take the plain name where it is free, or where both are the same but for
 * `additionalProperties` (refused when written; when read, a client should live with fields it does not know).
 */
export function tidyNames(document: OpenAPIObject): OpenAPIObject {
  const schemas = document.components?.schemas ?? {};
  const outputs = Object.keys(schemas).filter((name) => name.endsWith(suffix));
  const names = new Map(outputs.map((name) => [name, plainName(name)] as const));
  const comparable = (name: string): string => withoutStrictness(renamed(JSON.stringify(schemas[name]), names));
  for (const name of outputs) {
    const plain = plainName(name);
    if (schemas[plain] && comparable(name) !== comparable(plain)) names.set(name, `${plain}Output`);
  }
  const entries = Object.entries(schemas).filter(([name]) => !(names.has(name) && schemas[names.get(name) as string]));
  const tidy = { ...document, components: { ...document.components, schemas: Object.fromEntries(entries.map(([name, schema]) => [names.get(name) ?? name, schema])) } };
  return JSON.parse(renamed(JSON.stringify(tidy), names)) as OpenAPIObject;
}

const plainName = (name: string): string => name.slice(0, -suffix.length);
const withoutStrictness = (json: string): string => json.replaceAll(/,?"additionalProperties":false/g, '');

function renamed(json: string, names: ReadonlyMap<string, string>): string {
  return [...names].reduce((text, [from, to]) => text.replaceAll(`"${base}${from}"`, `"${base}${to}"`), json);
}
