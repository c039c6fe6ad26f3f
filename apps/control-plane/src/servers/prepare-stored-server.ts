import { completeServer } from '@gatehouse/gateway-config';
import { type PreparedServer, prepareServer } from '@gatehouse/upstream-request';
import { withKeptSecrets } from './plan-secrets.ts';
import type { ServerRow } from './servers.store.ts';
import { withTools } from './tools/complete-tools.ts';

/**
 * A stored server, compiled as data planes compile it, with no secret opened, something stands in for each, and without an API's tools. Nothing where this
 * release does not take what is stored.
 */
export function prepareStoredServer({ id, workspace, document }: Pick<ServerRow, 'id' | 'workspace' | 'document'>, secretLocations: readonly string[]): PreparedServer | undefined {
  const { data } = completeServer.safeParse(withTools(withKeptSecrets(document, secretLocations)));
  return data && prepareServer(id, workspace, data);
}
