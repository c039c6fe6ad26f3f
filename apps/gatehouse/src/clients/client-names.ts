/** The MCP clients that `gatehouse connect` knows. */
export const clientNames = ['claude', 'claude-desktop', 'cursor', 'vscode', 'inspector'] as const;

export type ClientName = (typeof clientNames)[number];
