import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure, exitCodes } from '../command-failure.ts';
import type { GatewayOptions } from '../commands/gateway-options.ts';
import { environment } from '../environment.ts';
import { findControlPlane } from '../gateway/find-gateway.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { output } from '../output.ts';
import { isRotating, readDataKeys } from './data-keys.ts';

export interface RotateKeysOptions extends GatewayOptions {
  readonly workspace?: string;
  readonly all?: boolean;
  readonly wait?: boolean;
}

const lookAgainMs = 1_000;

/** `gatehouse keys rotate`: 0 done (or, without `--wait`, begun), 1 where values are left that cannot be opened. */
export async function rotateKeys({ workspace, all, wait, dataDir }: RotateKeysOptions): Promise<number> {
  if (workspace === undefined && !all) throw new CommandFailure('Say whose keys: --workspace <name>, or --all.', { exitCode: exitCodes.usage });
  const rest = createRestClient(await findControlPlane({ dataDir, environment }));
  const { body } = await rest.create('/v1/vault/keys/rotate', workspace === undefined ? {} : { workspace });
  const { requested } = body as { requested: number };
  const keys = requested === 1 ? '1 key' : `${requested} keys`;
  if (!wait) {
    output.line(`${keys} will be rotated in the background; "gatehouse keys list" shows how far it is.`);
    return 0;
  }
  while (await isRotating(rest, workspace)) await delay(lookAgainMs);
  const unreadable = (await readDataKeys(rest, workspace)).reduce((sum, key) => sum + key.unreadable, 0);
  if (unreadable > 0) {
    throw new CommandFailure(`${unreadable} sealed values cannot be opened where they are; the keys they name are kept. The control plane's log says in which tables.`);
  }
  output.line(`${keys} rotated; the old ones are destroyed.`);
  return 0;
}
