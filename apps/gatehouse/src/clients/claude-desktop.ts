import { join } from 'node:path';
import { keyHeader, keyVariable, type McpClient } from './mcp-client.ts';

/** Claude's desktop application: its file knows only local commands, so mcp-remote makes the connection. */
export const claudeDesktop: McpClient = {
  title: 'Claude Desktop',
  file: ({ home, platform, applicationData }) => {
    if (platform === 'darwin') return join(home, 'Library/Application Support/Claude/claude_desktop_config.json');
    if (platform === 'win32') return join(applicationData ?? join(home, 'AppData', 'Roaming'), 'Claude', 'claude_desktop_config.json');
    return join(home, '.config/Claude/claude_desktop_config.json');
  },
  field: 'mcpServers',
  entry: ({ url, needsKey }) => ({
    command: 'npx',
    // No space after the colon: the application does not quote arguments on every platform.
    args: ['-y', 'mcp-remote', url, ...(needsKey ? ['--header', `${keyHeader}:\${${keyVariable}}`] : [])],
    ...(needsKey && { env: { [keyVariable]: 'the key of a service account' } }),
  }),
  hints: () => ['Restart Claude Desktop afterwards.'],
};
