import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageBin } from '../package-file.ts';
import { runCommand } from '../run-command.ts';
import { textOf, type McpClient, type Target } from './mcp-client.ts';

export const inspectorClients: McpClient[] = [
  inspector('Inspector, Streamable HTTP', 'mcp', '2025-11-25', ['--transport', 'http']),
  inspector('Inspector, modern', 'mcp', '2026-07-28', ['--transport', 'http', '--protocol-era', 'modern']),
  inspector('Inspector, HTTP+SSE', 'sse', '2025-11-25', ['--transport', 'sse']),
];

function inspector(name: string, endpoint: 'mcp' | 'sse', revision: string, flags: string[]): McpClient {
  return {
    name,
    endpoint,
    revision,
    listTools: async (target) => {
      const { tools } = await inspect<{ tools: { name: string }[] }>(target, [...flags, '--method', 'tools/list']);
      return tools.map((tool) => tool.name);
    },
    callTool: async (target, tool, args) => {
      const pairs = Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${value}`]);
      const call = ['--method', 'tools/call', '--tool-name', tool, ...pairs];
      return textOf(await inspect<object>(target, [...flags, ...call]));
    },
  };
}

/** What the Inspector's command line prints for one method. */
async function inspect<Result>({ url, headers }: Target, args: string[]): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-inspector-'));
  const headerFlags = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const command = [packageBin('@modelcontextprotocol/inspector', 'mcp-inspector'), '--cli', url, ...args, ...headerFlags];
  const run = await runCommand(process.execPath, command, { env: { ...process.env, HOME: folder } });
  await rm(folder, { recursive: true });
  if (run.exitCode !== 0) throw new Error(`the Inspector ended with ${run.exitCode}:\n${run.stdout}\n${run.stderr}`);
  return JSON.parse(run.stdout) as Result;
}
