import { join } from 'node:path';
import { headersFor, keyVariable, type McpClient } from './mcp-client.ts';

export const cursor: McpClient = {
  title: 'Cursor',
  file: ({ workingDirectory }) => join(workingDirectory, '.cursor', 'mcp.json'),
  field: 'mcpServers',
  entry: (server) => ({ url: server.url, ...headersFor(server, `\${env:${keyVariable}}`) }),
  hints: () => [],
};
