import { z } from 'zod';

type Tagged = z.core.$ZodTypeDiscriminable;

/** The schemas that each entry of a registry keeps under `View`, as a tuple. */
type SchemasOf<Entries extends readonly object[], View extends string> = {
  -readonly [I in keyof Entries]: Entries[I] extends Record<View, infer S extends Tagged> ? S : never;
};

/** The union, told apart by `type`, of what each entry of a registry keeps under `view`. */
export function taggedUnionOf<const Entries extends readonly [object, ...object[]], View extends string>(entries: Entries, view: View) {
  const schemas = entries.map((entry) => (entry as Record<string, unknown>)[view]);
  return z.discriminatedUnion('type', schemas as unknown as SchemasOf<Entries, View> & [Tagged, ...Tagged[]]);
}
