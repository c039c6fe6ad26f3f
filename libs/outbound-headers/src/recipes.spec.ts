import { describe, expect, it } from 'vitest';
import { completeOutboundHeaders, writableOutboundHeaders } from './outbound-header.ts';
import { type OutboundHeaderRecipe, outboundHeaderRecipes, type RecipeField } from './recipes.ts';
import { outboundHeaderSources } from './registry.ts';

type Json = Record<string, unknown>;

/** The header as somebody has it who has filled in these. */
function filledIn({ header }: OutboundHeaderRecipe, fields: readonly RecipeField[]): Json {
  const document = structuredClone(header) as Json;
  for (const { pointer, example } of fields) {
    const path = pointer.split('/').slice(1);
    const holder = path.slice(0, -1).reduce((at, key) => at[key] as Json, document);
    holder[path.at(-1) ?? ''] = example;
  }
  return document;
}

it('the patterns are there, each with its own name', () => {
  expect(outboundHeaderRecipes.map(({ title }) => title)).toEqual([
    'OAuth2 service token', 'Forward caller’s token', 'On behalf of caller', 'Stored API key / credential', 'Pass caller identity', 'Custom header',
  ]);
  expect(new Set(outboundHeaderRecipes.map(({ id }) => id)).size).toBe(6);
});

describe.each(outboundHeaderRecipes.map((recipe) => [recipe.id, recipe] as const))('%s', (_id, recipe) => {
  const wanted = recipe.fields.filter(({ required }) => required);

  it.each([['all fields', recipe.fields], ['the required ones', wanted]] as const)('with %s it is a header that servers take', (_name, fields) => {
    const document = filledIn(recipe, fields);
    for (const schema of [writableOutboundHeaders, completeOutboundHeaders]) expect(schema.safeParse([document]).error?.issues).toBeUndefined();
  });

  it('nothing that is required can be left out', () => {
    for (const missing of wanted) {
      const document = filledIn(recipe, wanted.filter((field) => field !== missing));
      expect(completeOutboundHeaders.safeParse([document]).success, missing.pointer).toBe(false);
    }
  });

  it('its source is one that there is, and what it asks for has a title in the source’s schema', () => {
    const source = outboundHeaderSources.find(({ type }) => type === recipe.header.source.type);
    expect(source).toBeDefined();
    const { shape } = source?.writable as unknown as { shape: Record<string, unknown> };
    for (const { pointer } of recipe.fields) if (pointer.startsWith('/source/')) expect(shape, pointer).toHaveProperty(pointer.slice('/source/'.length));
  });
});
