import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output } from '../output.ts';
import { readDataKeys } from './data-keys.ts';
import { renderKeys } from './render-keys.ts';

export interface ListKeysOptions extends GatewayOptions {
  readonly workspace?: string;
  readonly json?: boolean;
}

/** `gatehouse keys list` */
export async function listKeys({ workspace, dataDir, json }: ListKeysOptions): Promise<number> {
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  const keys = await readDataKeys(rest, workspace);
  if (json) output.json({ items: keys });
  else output.line(renderKeys(keys, new Date()));
  return 0;
}
