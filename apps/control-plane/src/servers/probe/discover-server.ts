import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import type { McpConnection, McpProbe } from './connect-mcp.ts';
import { ItemLister } from './list-items.ts';
import { maskDeep } from './mask-secrets.ts';
import type { Discovery } from './probe-results.ts';
import { beginProbe, obtainCredentials, type ProbeLimits, type ProbeOptions, withConnection, withUpstream } from './probe-upstream.ts';
import { gatewayErrorOf, StepFailure } from './step-failure.ts';

/**
 * What a server's upstream offers.
 * @throws GatewayError with the reason of the step that failed
 */
export async function discoverServer(server: UpstreamServerDocument, options: ProbeOptions): Promise<Discovery> {
  const probe = beginProbe(server, options);
  try {
    const credentials = await obtainCredentials(probe);
    return await withUpstream(probe, credentials, (mcp) => withConnection(mcp, (connection) => readDiscovery(mcp, connection, probe.limits)));
  } catch (error) {
    throw error instanceof StepFailure ? gatewayErrorOf(error, probe) : error;
  }
}

async function readDiscovery(mcp: McpProbe, connection: McpConnection, limits: ProbeLimits): Promise<Discovery> {
  const { client } = connection;
  const capabilities = client.getServerCapabilities() ?? {};
  const lister = new ItemLister(mcp, connection, limits);
  const nothing = { items: [], truncated: false };
  const tools = capabilities.tools ? await lister.list('tools/list') : nothing;
  const resources = capabilities.resources ? await lister.list('resources/list') : nothing;
  const resourceTemplates = capabilities.resources ? await lister.list('resources/templates/list') : nothing;
  const prompts = capabilities.prompts ? await lister.list('prompts/list') : nothing;
  const about = {
    protocolVersion: client.getNegotiatedProtocolVersion() ?? '',
    era: client.getProtocolEra() ?? 'legacy',
    serverInfo: client.getServerVersion(),
    capabilities,
    instructions: client.getInstructions(),
  };
  const discovery = {
    ...(maskDeep(about, mcp.mask) as object),
    tools: tools.items,
    resources: resources.items,
    resourceTemplates: resourceTemplates.items,
    prompts: prompts.items,
    truncated: [tools, resources, resourceTemplates, prompts].some(({ truncated }) => truncated),
  };
  return discovery as Discovery;
}
