/** What MCP servers list, and what each item is known by. */
export const listKinds = {
  tools: { method: 'tools/list', key: 'name' },
  prompts: { method: 'prompts/list', key: 'name' },
  resources: { method: 'resources/list', key: 'uri' },
  resourceTemplates: { method: 'resources/templates/list', key: 'uriTemplate' },
} as const;

/** Also the name of the list in a result. */
export type ListKind = keyof typeof listKinds;

const kindsByMethod = new Map(Object.entries(listKinds).map(([kind, { method }]) => [method as string, kind as ListKind]));

export const listKindOf = (method: string | undefined): ListKind | undefined => (method === undefined ? undefined : kindsByMethod.get(method));
