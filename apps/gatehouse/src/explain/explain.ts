import type { Explanation } from '@gatehouse/control-plane';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output } from '../output.ts';
import { readInput } from './read-input.ts';
import { renderExplanation } from './render-explanation.ts';

export interface ExplainOptions extends GatewayOptions {
  readonly workspace: string;
  readonly header?: readonly string[];
  readonly request?: string;
  readonly curl?: string;
  readonly har?: string;
  readonly json?: boolean;
}

/** `gatehouse explain`: exit code 0 for whatever would become of the request. */
export async function explain(server: string, options: ExplainOptions): Promise<number> {
  const { workspace, dataDir, json } = options;
  const input = await readInput({ workspace, server }, options);
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  const { body } = await rest.create(`/v1/workspaces/${encodeURIComponent(workspace)}/servers/${encodeURIComponent(server)}/explain`, input);
  if (json) output.json(body);
  else output.line(renderExplanation(body as Explanation, process.stdout.columns));
  return 0;
}
