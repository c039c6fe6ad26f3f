import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { packageBin } from '../package-file.ts';
import type { Visit } from '../person.ts';
import { endWithThisProcess } from '../run-command.ts';
import type { InstalledClient, InteractiveClient, OpenInBrowser } from './interactive-client.ts';
import { followPrompts } from './login-prompt.ts';
import { textOf } from './mcp-client.ts';

/** Programs of their own, which keep what they were given in their person's home. */
export const interactivePrograms: InteractiveClient[] = [
  { name: 'Inspector', title: 'MCP Inspector', install: (open) => inspector(open, []) },
  { name: 'Inspector, modern', title: 'MCP Inspector', install: (open) => inspector(open, ['--protocol-era', 'modern']) },
  { name: 'mcp-remote', title: 'MCP CLI Proxy', install: remote },
];

interface Home {
  readonly env: Record<string, string>;
  remove: () => Promise<void>;
}

/** A machine where opening a browser seems to work and shows nothing: the tests read the address from the terminal. */
async function moveIn(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-home-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'xdg-open'), '#!/bin/sh\nexit 0\n');
  await chmod(join(bin, 'xdg-open'), 0o755);
  const env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: folder, MCP_REMOTE_CONFIG_DIR: folder,
    // The Inspector logs nobody in without a terminal or this, brings an xdg-open of its own, which asks for the browser here, and
    // wants a key chain.
    MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: join(bin, 'xdg-open'), MCP_INSPECTOR_SECRET_STORE: 'file',
  };
  return { env, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function inspector(open: OpenInBrowser, flags: string[]): Promise<InstalledClient> {
  const home = await moveIn();
  const visits: Visit[] = [];
  const inspect = async <Result>(url: string, ...args: string[]): Promise<Result> => {
    const command = [packageBin('@modelcontextprotocol/inspector', 'mcp-inspector'), '--cli', url, '--transport', 'http', '--callback-url', 'http://127.0.0.1:0/oauth/callback', ...flags, ...args];
    const child = spawn(process.execPath, command, { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
    endWithThisProcess(child);
    const { said, failed, settled } = followPrompts(child.stderr, open, visits);
    try {
      const [stdout, [exitCode]] = await Promise.race([failed, Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>])]);
      if (exitCode !== 0) throw new Error(`the Inspector ended with ${exitCode}:\n${stdout}\n${said()}`);
      await settled();
      return JSON.parse(stdout) as Result;
    } finally {
      child.kill('SIGKILL');
    }
  };
  return {
    listTools: async (url) => (await inspect<{ tools: { name: string }[] }>(url, '--method', 'tools/list')).tools.map((tool) => tool.name),
    callTool: async (url, tool, args) => {
      const pairs = Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${value}`]);
      return textOf(await inspect<object>(url, '--method', 'tools/call', '--tool-name', tool, ...pairs));
    },
    visits,
    remove: home.remove,
  };
}

/** `mcp-remote` between a stdio client and the server, as desktop clients run it. */
async function remote(open: OpenInBrowser): Promise<InstalledClient> {
  const home = await moveIn();
  const visits: Visit[] = [];
  const withClient = async <T>(url: string, use: (client: Client) => Promise<T>): Promise<T> => {
    const args = [packageBin('mcp-remote'), url, '--allow-http', '--transport', 'http-only', '--auth-timeout', '60'];
    const transport = new StdioClientTransport({ command: process.execPath, args, env: home.env, stderr: 'pipe' });
    const { said, failed, settled } = followPrompts(transport.stderr as Readable, open, visits);
    const client = new Client({ name: 'gatehouse-test-client', version: '1.0.0' });
    try {
      return await Promise.race([failed, client.connect(transport).then(settled).then(() => use(client))]);
    } catch (error) {
      throw new Error(`mcp-remote said:\n${said()}`, { cause: error });
    } finally {
      await client.close();
    }
  };
  return {
    listTools: (url) => withClient(url, async (client) => (await client.listTools()).tools.map((tool) => tool.name)),
    callTool: (url, tool, args) => withClient(url, async (client) => textOf(await client.callTool({ name: tool, arguments: args }))),
    visits,
    remove: home.remove,
  };
}
