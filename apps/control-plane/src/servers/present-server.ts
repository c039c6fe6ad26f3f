import { GatewayError } from '@gatehouse/errors';
import { type GlobalHeaderPolicy, type ReadableServer, readableServer, type Warning } from '@gatehouse/gateway-config';
import type { StoredSecret } from '../vault/secrets.store.ts';
import { withValues } from './plan-secrets.ts';
import { standingWarnings } from './server-warnings.ts';
import type { ServerRow } from './servers.store.ts';
import type { Surroundings } from './surroundings.ts';
import { presentUnreadable, type UnreadableServer } from './unreadable-server.ts';

export interface PresentContext {
  readonly dataPlaneUrl: string;
  /** The global policy, which the warnings depend on too. */
  readonly policy: GlobalHeaderPolicy;
  readonly surroundings: Surroundings;
}

/**
 * A server as it is read: of its secrets only that they are set, and since when.
 * @throws GatewayError server_unreadable, where this release does not take what is stored
 */
export function presentServer(row: ServerRow, secrets: readonly StoredSecret[], context: PresentContext, changeWarnings: readonly Warning[] = []): ReadableServer {
  const marks = secrets.map(({ field, updatedAt }) => [field, { set: true, updatedAt: updatedAt.toISOString() }] as const);
  const { data, error } = readableServer.safeParse({
    kind: 'Server',
    id: row.id,
    workspace: row.workspace,
    ...withValues(row.document, marks),
    url: `${context.dataPlaneUrl}/mcp/${row.workspace}/${row.name}`,
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    warnings: [],
  });
  if (data === undefined) throw new GatewayError('server_unreadable', { detail: `server ${row.id}`, cause: error });
  return { ...data, warnings: [...standingWarnings(row, secrets.map(({ field }) => field), context), ...changeWarnings] };
}

/** As one of many. */
export function presentListedServer(row: ServerRow, secrets: readonly StoredSecret[], context: PresentContext): { readonly readable: ReadableServer } | { readonly unreadable: UnreadableServer } {
  try {
    return { readable: presentServer(row, secrets, context) };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'server_unreadable') throw error;
    return { unreadable: presentUnreadable(row) };
  }
}
