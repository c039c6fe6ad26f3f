import { join } from 'node:path';
import { headersFor, keyHeader, keyVariable, type McpClient } from './mcp-client.ts';

/** Claude Code, for the project in the working directory. */
export const claude: McpClient = {
  title: 'Claude Code',
  file: ({ workingDirectory }) => join(workingDirectory, '.mcp.json'),
  field: 'mcpServers',
  entry: (server) => ({ type: 'http', url: server.url, ...headersFor(server, `\${${keyVariable}}`) }),
  hints: (servers) => [
    'Or without a file:',
    ...servers.map(({ name, url, needsKey }) => `  claude mcp add --transport http ${name} ${url}${needsKey ? ` --header "${keyHeader}: $${keyVariable}"` : ''}`),
  ],
};
