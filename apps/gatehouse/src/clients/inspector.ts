import { join } from 'node:path';
import { headersFor, keyHeader, keyVariable, type McpClient } from './mcp-client.ts';

/** The MCP Inspector: a command; its file is for those who want to keep several servers. */
export const inspector: McpClient = {
  title: 'MCP Inspector',
  file: ({ workingDirectory }) => join(workingDirectory, 'mcp-inspector.json'),
  field: 'mcpServers',
  entry: (server) => ({ type: 'streamable-http', url: server.url, ...headersFor(server, `the key of a service account`) }),
  hints: (servers) => [
    'Or without a file:',
    ...servers.map(
      ({ url, needsKey }) =>
        `  npx @modelcontextprotocol/inspector --cli ${url} --transport http --method tools/list${needsKey ? ` --header "${keyHeader}: $${keyVariable}"` : ''}`,
    ),
  ],
};
