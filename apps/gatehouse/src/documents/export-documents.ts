import { keptSourceIn, type ToolsSource, withSource } from '@gatehouse/gateway-config';
import { CommandFailure } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient, type RestClient } from '../gateway/rest-client.ts';
import { output } from '../output.ts';
import { documentKinds } from './document-kinds.ts';
import { exportedYaml } from './exported-yaml.ts';
import { isStored } from './plan-document.ts';

export interface ExportOptions extends GatewayOptions {
  readonly workspace?: string;
}

type Item = Readonly<Record<string, unknown>>;

/** `gatehouse export` */
export async function exportDocuments({ workspace, dataDir }: ExportOptions): Promise<number> {
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  const texts = workspace === undefined ? [...(await exportedSingles(rest)), ...(await exportedOfNoWorkspace(rest))] : [];
  for (const item of await listWorkspaces(rest, workspace)) {
    const name = String(item['name']);
    // Every gateway makes it by itself.
    if (name !== 'default' || item['access'] !== undefined) texts.push(exportedYaml({ ...item, kind: 'Workspace' }));
    for (const kind of documentKinds.filter(({ isInWorkspace }) => isInWorkspace)) {
      const items = await rest.list(kind.collection(name));
      for (const item of items) texts.push(exportedYaml({ kind: kind.kind, workspace: name, ...(await withToolsSource(item, kind.collection(name), rest)) }));
    }
  }
  if (texts.length > 0) output.line(texts.join('---\n').trimEnd());
  return 0;
}

/** With the OpenAPI document or the GraphQL schema that its own document was given with, which lists only have a mark for. */
async function withToolsSource(item: Item, collection: string, rest: RestClient): Promise<Item> {
  const tools = item['type'] === 'api' ? (item['tools'] as ToolsSource) : undefined;
  if (tools === undefined || keptSourceIn(tools) === undefined) return item;
  const found = await rest.find(`${collection}/${String(item['id'])}/tools-source`);
  return found === undefined ? item : { ...item, tools: withSource(tools, (found.body as { readonly source: string | object }).source) };
}

/** What there is one of, as far as somebody stored it. */
async function exportedSingles(rest: RestClient): Promise<string[]> {
  const texts: string[] = [];
  for (const kind of documentKinds.filter(({ isSingle }) => isSingle)) {
    const found = await rest.find(kind.collection(''));
    if (found && isStored(found.body)) texts.push(exportedYaml({ ...(found.body as object), kind: kind.kind }));
  }
  return texts;
}

/** Workspaces themselves are exported with what is in them. */
async function exportedOfNoWorkspace(rest: RestClient): Promise<string[]> {
  const texts: string[] = [];
  for (const kind of documentKinds.filter(({ kind, isInWorkspace, isSingle }) => !isInWorkspace && isSingle !== true && kind !== 'Workspace')) {
    const items = await rest.list(kind.collection(''));
    texts.push(...items.map((item) => exportedYaml({ ...item, kind: kind.kind })));
  }
  return texts;
}

async function listWorkspaces(rest: RestClient, only: string | undefined): Promise<Awaited<ReturnType<RestClient['list']>>> {
  const items = await rest.list('/v1/workspaces');
  const wanted = items.filter(({ name }) => only === undefined || name === only);
  if (wanted.length === 0) throw new CommandFailure(`There is no workspace "${only}". There are: ${items.map(({ name }) => String(name)).join(', ')}`);
  return wanted;
}
