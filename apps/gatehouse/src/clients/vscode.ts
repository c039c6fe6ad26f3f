import { join } from 'node:path';
import { headersFor, type McpClient } from './mcp-client.ts';

const keyInput = { id: 'gatehouse-key', type: 'promptString', description: 'Key of a Gatehouse service account', password: true };

export const vscode: McpClient = {
  title: 'VS Code',
  file: ({ workingDirectory }) => join(workingDirectory, '.vscode', 'mcp.json'),
  field: 'servers',
  entry: (server) => ({ type: 'http', url: server.url, ...headersFor(server, `\${input:${keyInput.id}}`) }),
  extras: (servers) => (servers.some(({ needsKey }) => needsKey) ? { inputs: [keyInput] } : {}),
  hints: () => [],
};
