/**
 * Headers that may occur once: of two, one reader takes the first and another the last (D6, docs/rules.md; RFC 9110 section
 * 5.3). Those that never leave matter as much as the others where the gateway itself reads them. By canonical name.
 */
const singletons = new Set([
  'authorization', 'x-upstream-authorization', 'x-gatehouse-key', 'content-type', 'content-length', 'content-encoding', 'content-location', 'content-range',
  'host', 'origin', 'referer', 'user-agent', 'from', 'date', 'expect', 'range', 'if-range', 'if-modified-since', 'if-unmodified-since', 'max-forwards', 'proxy-authorization',
  'last-event-id', 'mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id', 'traceparent', 'access-control-request-headers', 'access-control-request-method',
]);

export const isSingletonHeader = (canonical: string): boolean => singletons.has(canonical);
