import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createRequestStateCodec, McpServer, type RequestStateCodec, type ServerNotifier } from '@modelcontextprotocol/server';
import { registerContentTools } from './conformance-upstream/content-tools.ts';
import { registerInputTools } from './conformance-upstream/input-tools.ts';
import { MemoryEventStore } from './conformance-upstream/memory-event-store.ts';
import { registerPrompts } from './conformance-upstream/prompts.ts';
import { registerResources } from './conformance-upstream/resources.ts';
import { registerRoundTripTools, type RoundState } from './conformance-upstream/round-trip-tools.ts';
import { registerStreamingTools } from './conformance-upstream/streaming-tools.ts';
import { serveBothEras, type RunningUpstream } from './serve-both-eras.ts';

/** The server that the conformance tool is pointed at, directly and through the gateway. */
export function startConformanceUpstream({ port = 0 } = {}): Promise<RunningUpstream> {
  const states = createRequestStateCodec<RoundState>({ key: randomBytes(32) });
  const createServer = (changes: ServerNotifier) => createReferenceServer(states, changes);
  return serveBothEras({ createServer, eventStore: new MemoryEventStore(), port });
}

function createReferenceServer(states: RequestStateCodec<RoundState>, changes: ServerNotifier): McpServer {
  const server = new McpServer(
    { name: 'gatehouse-conformance-upstream', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (state, context) => states.verify(state, context) },
    },
  );
  registerContentTools(server);
  registerStreamingTools(server, changes);
  registerInputTools(server);
  registerRoundTripTools(server, states);
  registerPrompts(server);
  registerResources(server);
  return server;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
  const { url } = await startConformanceUpstream({ port: Number(values.port) });
  console.log(JSON.stringify({ ready: true, url }));
}
