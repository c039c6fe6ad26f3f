import { homedir } from 'node:os';
import { relative } from 'node:path';
import { CommandFailure } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane, findDataPlane, type GatewaySearch } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output, styled } from '../output.ts';
import { claude } from './claude.ts';
import { claudeDesktop } from './claude-desktop.ts';
import type { ClientName } from './client-names.ts';
import { cursor } from './cursor.ts';
import { inspector } from './inspector.ts';
import type { McpClient, Places, ServerEntry } from './mcp-client.ts';
import { configurationOf } from './merge-configuration.ts';
import { vscode } from './vscode.ts';
import { writeConfiguration } from './write-configuration.ts';

export interface ConnectOptions extends GatewayOptions {
  readonly workspace: string;
  readonly write?: boolean;
}

export const mcpClients: Readonly<Record<ClientName, McpClient>> = { claude, 'claude-desktop': claudeDesktop, cursor, vscode, inspector };

/** `gatehouse connect` */
export async function connect(clientName: ClientName, server: string | undefined, options: ConnectOptions): Promise<number> {
  const client = mcpClients[clientName];
  const places: Places = { workingDirectory: process.cwd(), home: homedir(), platform: process.platform, applicationData: environment['APPDATA'] };
  const servers = await findServers(server, options);
  const file = client.file(places);
  if (options.write) await write(client, file, servers);
  else print(client, file, servers);
  return 0;
}

async function write(client: McpClient, file: string, servers: readonly ServerEntry[]): Promise<void> {
  const { isChanged, backup } = await writeConfiguration(client, file, servers);
  const names = servers.map(({ name }) => name).join(', ');
  output.line(isChanged ? `${client.title} knows ${names} now: ${shown(file)}` : `${client.title} knew ${names} already: ${shown(file)} is unchanged`);
  if (backup !== undefined) output.line(styled('dim', `as it was: ${shown(backup)}`));
}

function print(client: McpClient, file: string, servers: readonly ServerEntry[]): void {
  // Only the configuration goes to standard output, so that it can be piped; what to do with it does not.
  output.note(styled('dim', `${client.title}, in ${shown(file)} (--write merges it):`));
  output.line(JSON.stringify(configurationOf(client, servers), null, 2));
  for (const hint of client.hints(servers)) output.note(hint);
}

/** The server that was named, or all of the workspace. What the admin token does not show is taken as it was named. */
async function findServers(name: string | undefined, { workspace, dataDir }: ConnectOptions): Promise<readonly ServerEntry[]> {
  const search: GatewaySearch = { dataDir, environment };
  const dataPlaneUrl = await findDataPlane(search);
  const known = await listServers(search, workspace).catch((error: unknown) => {
    if (name === undefined) throw error;
    return undefined;
  });
  const entry = (server: string, needsKey: boolean): ServerEntry => ({ name: server, needsKey, url: `${dataPlaneUrl}/mcp/${encodeURIComponent(workspace)}/${encodeURIComponent(server)}` });
  if (known === undefined) return [entry(name as string, false)];

  const found = known.filter((server) => name === undefined || server.name === name);
  if (found.length > 0) return found.map((server) => entry(server.name, server.agentAuth.type === 'api-key'));
  const others = known.length === 0 ? 'There are none yet.' : `There are: ${known.map((server) => server.name).join(', ')}`;
  throw new CommandFailure(name === undefined ? `The workspace "${workspace}" has no servers yet.` : `There is no server "${name}" in the workspace "${workspace}". ${others}`);
}

interface KnownServer {
  readonly name: string;
  readonly agentAuth: { readonly type: string };
}

async function listServers(search: GatewaySearch, workspace: string): Promise<readonly KnownServer[]> {
  const rest = createRestClient(await findControlPlane(search));
  return (await rest.list(`/v1/workspaces/${encodeURIComponent(workspace)}/servers`)) as unknown as readonly KnownServer[];
}

/** Short where it is below the working directory. */
const shown = (file: string): string => {
  const path = relative('', file);
  return path.startsWith('..') ? file : path;
};
