import { McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { SampleUpstreamLog, sampleToolDescriptions, textContent } from './sample-tools.ts';
import { serveBothEras, type RunningUpstream } from './serve-both-eras.ts';

export interface SampleUpstream extends RunningUpstream {
  log: SampleUpstreamLog;
}

/** A real MCP server with `echo`, `whoami` and `slow`, over Streamable HTTP of both eras. */
export async function startSampleUpstream({ port = 0 } = {}): Promise<SampleUpstream> {
  const log = new SampleUpstreamLog();
  const upstream = await serveBothEras({
    createServer: () => createSampleServer(log),
    onRequest: (request) => log.record(request),
    port,
  });
  return { ...upstream, log };
}

function createSampleServer(log: SampleUpstreamLog): McpServer {
  const server = new McpServer({ name: 'gatehouse-sample-upstream', version: '1.0.0' });
  server.registerTool(
    'echo',
    { description: sampleToolDescriptions.echo, inputSchema: z.object({ text: z.string() }) },
    ({ text }) => textContent(text),
  );
  server.registerTool('whoami', { description: sampleToolDescriptions.whoami }, (context: ServerContext) =>
    textContent(JSON.stringify(Object.fromEntries(context.http?.req?.headers ?? []))),
  );
  server.registerTool('slow', { description: sampleToolDescriptions.slow }, async (context: ServerContext) =>
    textContent(await log.holdSlowCall(context.mcpReq.signal)),
  );
  return server;
}
