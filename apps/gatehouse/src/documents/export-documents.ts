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

/** `gatehouse export` */
export async function exportDocuments({ workspace, dataDir }: ExportOptions): Promise<number> {
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  const texts = workspace === undefined ? [...(await exportedSingles(rest)), ...(await exportedOfNoWorkspace(rest))] : [];
  for (const name of await workspaceNames(rest, workspace)) {
    if (name !== 'default') texts.push(exportedYaml({ kind: 'Workspace', name }));
    for (const kind of documentKinds.filter(({ isInWorkspace }) => isInWorkspace)) {
      const items = await rest.list(kind.collection(name));
      texts.push(...items.map((item) => exportedYaml({ kind: kind.kind, workspace: name, ...item })));
    }
  }
  if (texts.length > 0) output.line(texts.join('---\n').trimEnd());
  return 0;
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
  for (const kind of documentKinds.filter(({ isInWorkspace, isSingle, isReplaceable }) => !isInWorkspace && isSingle !== true && isReplaceable)) {
    const items = await rest.list(kind.collection(''));
    texts.push(...items.map((item) => exportedYaml({ ...item, kind: kind.kind })));
  }
  return texts;
}

async function workspaceNames(rest: RestClient, only: string | undefined): Promise<readonly string[]> {
  const names = (await rest.list('/v1/workspaces')).map((workspace) => String(workspace['name']));
  if (only === undefined) return names;
  if (!names.includes(only)) throw new CommandFailure(`There is no workspace "${only}". There are: ${names.join(', ')}`);
  return [only];
}
