import { listedTool } from '@gatehouse/api-tools';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import { firstModernRevision } from '@gatehouse/mcp-protocol';
import type { Discovery } from '../probe/probe-results.ts';
import type { StoredServerTools } from './server-tools.store.ts';

type ApiDocument = Extract<UpstreamServerDocument, { type: 'api' }>;

/** What MCP clients see of an API server, of which the gateway itself is the MCP server; nobody is asked for it. */
export function describeApi({ name, title = name, tools: { operations } }: ApiDocument, stored: StoredServerTools | undefined): Discovery {
  return {
    protocolVersion: firstModernRevision,
    era: 'modern',
    serverInfo: { name, title },
    capabilities: { tools: {} },
    tools: operations.map(listedTool),
    resources: [],
    resourceTemplates: [],
    prompts: [],
    truncated: false,
    ...(stored && { import: importOf(stored) }),
  };
}

const importOf = ({ title, version, importedAt, leftOut, warnings }: StoredServerTools): Discovery['import'] => ({
  title, version, importedAt: importedAt.toISOString(), leftOut: [...leftOut], warnings: [...warnings],
});
