/** A server with a secret that callers must authenticate for. */
export const sampleServer = (name: string, overrides: Readonly<Record<string, unknown>> = {}) => ({
  name,
  type: 'mcp',
  upstream: { url: 'https://orders.example/mcp' },
  agentAuth: { type: 'api-key' },
  appAuth: { type: 'bearer', token: `token-of-${name}` },
  ...overrides,
});
