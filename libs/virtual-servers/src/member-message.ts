import { editObject, to, within } from './edit-json.ts';
import type { VirtualSubject } from './read-request.ts';

/** The message as the member is to read it: by its own name. Every other character stays as it was. */
export const withOwnName = (text: string, { from, to: end }: Pick<VirtualSubject, 'from' | 'to'>, own: string): string => text.slice(0, from) + JSON.stringify(own) + text.slice(end);

/** A list as the member is asked for it; without a cursor, from the beginning. */
export const withCursor = (text: string, cursor: string | undefined): string => editObject(text, { params: within({ cursor: to(cursor) }) });

export interface ModernMeta {
  readonly protocolVersion: string;
  readonly clientInfo: object;
}

/**
 * A message of a legacy client for a server of the modern era, which says with each who asks (MCP 2026-07-28). Nothing that such a
 * client can do is promised: it could not be asked for input in the way that is asked for there.
 */
export const withModernMeta = (text: string, { protocolVersion, clientInfo }: ModernMeta): string =>
  editObject(text, {
    params: within({
      _meta: within({
        'io.modelcontextprotocol/protocolVersion': to(protocolVersion),
        'io.modelcontextprotocol/clientInfo': to(clientInfo),
        'io.modelcontextprotocol/clientCapabilities': to({}),
      }),
    }),
  });

/** The answer of a server of the legacy era for a modern client: it is complete, and of what may be kept nothing may be shared. */
export function asModernResult(text: string, isCacheable: boolean): string {
  if (!text.includes('"result"')) return text;
  return editObject(text, {
    result: (result) => {
      if (result === undefined) return undefined;
      return editObject(result, { resultType: (type) => type ?? '"complete"', ...(isCacheable && { ttlMs: (ttl) => ttl ?? '0', cacheScope: (scope) => scope ?? '"private"' }) });
    },
  });
}

/** `Mcp-Name` of a name: as it is, or encoded where a header could not spell it (MCP 2026-07-28, transports). */
export function nameHeaderOf(name: string): string {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name) && !name.startsWith('=?') ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`;
}
