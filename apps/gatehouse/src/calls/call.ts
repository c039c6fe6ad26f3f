import type { Tool } from '@modelcontextprotocol/client';
import { CommandFailure, exitCodes } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findDataPlane, type GatewaySearch } from '../gateway/find-gateway.ts';
import { output, styled } from '../output.ts';
import { explainRefusal } from './explain-refusal.ts';
import { prepareClient } from './open-client.ts';
import { parseArguments } from './parse-arguments.ts';
import { renderResult, renderTools } from './render-result.ts';

export interface CallOptions extends GatewayOptions {
  readonly workspace: string;
  readonly key?: string;
  readonly header?: readonly string[];
  readonly json?: boolean;
}

export interface Call {
  readonly server: string;
  readonly tool: string | undefined;
  readonly values: readonly string[];
}

/** The one tool of a server that its caller has to connect an account for first. */
const connectToolName = 'connect_account';

/** `gatehouse call`: exit code 1 also for a tool that says that it failed. */
export async function call({ server, tool: toolName, values }: Call, options: CallOptions): Promise<number> {
  const search: GatewaySearch = { dataDir: options.dataDir, environment };
  const dataPlaneUrl = await findDataPlane(search);
  const url = `${dataPlaneUrl}/mcp/${encodeURIComponent(options.workspace)}/${encodeURIComponent(server)}`;
  const opened = prepareClient(url, callHeaders(options));
  const { client } = opened;
  try {
    await opened.connect();
    const { tools } = await client.listTools();
    if (toolName === undefined) return listTools(server, tools, options);
    const tool = findTool(server, toolName, tools);
    const result = await client.callTool({ name: tool.name, arguments: parseArguments(values, tool.inputSchema) });
    if (options.json) output.json(result);
    else output.line(result.isError ? styled('red', renderResult(result)) : renderResult(result));
    return result.isError ? exitCodes.failed : 0;
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw await explainRefusal({ error, refusal: opened.refusal(), dataPlaneUrl, server, workspace: options.workspace, search });
  } finally {
    await client.close().catch(() => undefined);
  }
}

function callHeaders({ key = environment['GATEHOUSE_KEY'], header = [] }: CallOptions): Record<string, string> {
  const own = header.map((text): [string, string] => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new CommandFailure(`"${text}" is not a header: write "Name: value".`, { exitCode: exitCodes.usage });
    return [name, value];
  });
  return { ...Object.fromEntries(own), ...(key && { 'X-Gatehouse-Key': key }) };
}

function findTool(server: string, name: string, tools: readonly Tool[]): Tool {
  // Until an account is connected there is only this one, and it says how to.
  const tool = tools.find((candidate) => candidate.name === name) ?? (tools.length === 1 ? tools.find((candidate) => candidate.name === connectToolName) : undefined);
  if (tool) return tool;
  throw new CommandFailure(`The server "${server}" has no tool "${name}". It has:\n${renderTools(tools)}`);
}

function listTools(server: string, tools: readonly Tool[], { json }: CallOptions): number {
  if (json) output.json({ tools });
  else output.line(tools.length === 0 ? `The server "${server}" has no tools.` : renderTools(tools));
  return 0;
}
