/** A server as part of a URL. */
export interface ServerName {
  readonly workspace: string;
  readonly name: string;
}

/** The two ways to a server: Streamable HTTP, and HTTP+SSE (MCP 2024-11-05). */
export type ResourceForm = 'mcp' | 'sse';

/**
 * A server's resource identifier (RFC 8707 section 2, RFC 9728 section 1.2): the very URL that its clients connect to, so that a
 * token for one server is good for no other.
 */
export const resourceUrl = (publicUrl: string, form: ResourceForm, { workspace, name }: ServerName): string => `${publicUrl}/${form}/${workspace}/${name}`;

/** The audiences that a server's tokens may be for. */
export const resourceUrls = (publicUrl: string, server: ServerName): string[] => [resourceUrl(publicUrl, 'mcp', server), resourceUrl(publicUrl, 'sse', server)];
