/** One MCP client program as the tests drive it: it lists the tools and calls one, each time from a fresh connection. */
export interface McpClient {
  name: string;
  /** Which address of a server it connects to. */
  endpoint: 'mcp' | 'sse';
  /** The revision it ends up speaking with an upstream of both eras. */
  revision: string;
  listTools: (target: Target) => Promise<string[]>;
  /** Resolves with the text of the result. */
  callTool: (target: Target, tool: string, args: Record<string, string>) => Promise<string>;
}

export interface Target {
  url: string;
  /** Sent by the client with every request. */
  headers: Record<string, string>;
}

/** The text blocks of a tool's result, one after another. */
export function textOf(result: object): string {
  const { content = [] } = result as { content?: { type: string; text?: string }[] };
  return content.map((block) => block.text ?? '').join('');
}
