import { fromJsonSchema, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import manifest from '../../package.json' with { type: 'json' };
import { describeRequest, requestAsText } from './describe-request.ts';

/** The demo upstream's tools, for one session or request. */
export function createDemoServer(): McpServer {
  const server = new McpServer({ name: 'gatehouse-demo', title: 'Gatehouse demo', version: manifest.version });
  server.registerTool(
    'whoami',
    { title: 'Who am I?', description: 'Shows which headers of your call reached this upstream, and with which credential.', inputSchema: noArguments },
    (_none: object, context: ServerContext) => {
      const description = describeRequest(context.http?.req?.headers ?? new Headers());
      return { content: [{ type: 'text', text: requestAsText(description) }], structuredContent: { ...description } };
    },
  );
  server.registerTool('add', { title: 'Add', description: 'Adds two numbers.', inputSchema: twoNumbers }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
    structuredContent: { sum: a + b },
  }));
  server.registerTool('echo', { title: 'Echo', description: 'Answers with the text it was given.', inputSchema: oneText }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  return server;
}

const noArguments = fromJsonSchema<object>({ type: 'object', properties: {}, additionalProperties: false });

const twoNumbers = fromJsonSchema<{ a: number; b: number }>({
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
  additionalProperties: false,
});

const oneText = fromJsonSchema<{ text: string }>({
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
  additionalProperties: false,
});
