import type { IncomingMessage } from 'node:http';
import { McpServer, ResourceTemplate, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { textContent } from './sample-tools.ts';
import { serveBothEras, type RunningUpstream } from './serve-both-eras.ts';

export interface MemberUpstream extends RunningUpstream {
  /** Of each HTTP request: its method and its headers, in the order in which they came. */
  readonly requests: { readonly method: string; readonly headers: IncomingMessage['headers'] }[];
  /** Another tool of that name; sessions and subscribers are told. */
  addTool(name: string): void;
}

export interface MemberOptions {
  readonly only?: 'legacy' | 'modern';
  readonly tools?: readonly string[];
}

/** A real MCP server to be a member: each tool answers with the server's and its own name, and with the text that it was given. */
export async function startMemberUpstream(name: string, { only, tools = ['echo'] }: MemberOptions = {}): Promise<MemberUpstream> {
  const requests: MemberUpstream['requests'] = [];
  const offered = [...tools];
  const servers: McpServer[] = [];
  let tellModern: (() => void) | undefined;
  const upstream = await serveBothEras({
    ...(only !== undefined && { only }),
    onRequest: ({ method = '', headers }) => void requests.push({ method, headers }),
    createServer: (changes) => {
      tellModern = () => changes.toolsChanged();
      const server = new McpServer({ name, version: '1.0.0' }, { instructions: `Use ${name} well.`, capabilities: { tools: { listChanged: true } } });
      for (const tool of offered) register(server, name, tool);
      registerOthers(server, name);
      servers.push(server);
      return server;
    },
  });
  return {
    ...upstream,
    requests,
    addTool: (tool) => {
      offered.push(tool);
      for (const server of servers.filter((one) => one.isConnected())) register(server, name, tool);
      tellModern?.();
    },
  };
}

function register(server: McpServer, name: string, tool: string): void {
  server.registerTool(tool, { description: `${tool} of ${name}`, inputSchema: z.object({ text: z.string().optional() }) }, ({ text = '' }, context: ServerContext) =>
    textContent([name, tool, text, context.http?.req?.headers.get('x-key') ?? ''].join(' ').trim()),
  );
}

function registerOthers(server: McpServer, name: string): void {
  server.registerPrompt('review', { description: `A review by ${name}` }, () => ({ messages: [{ role: 'user', content: { type: 'text', text: `review by ${name}` } }] }));
  server.registerResource('about', `about://${name}`, { description: name }, (uri) => ({ contents: [{ uri: uri.href, text: `about ${name}` }] }));
  server.registerResource('item', new ResourceTemplate(`item://${name}/{id}`, { list: undefined }), {}, (uri, { id }) => ({ contents: [{ uri: uri.href, text: `${name} ${String(id)}` }] }));
}
