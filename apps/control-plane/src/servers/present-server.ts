import { type GlobalHeaderPolicy, type ReadableServer, readableServer, type Warning } from '@gatehouse/gateway-config';
import type { StoredSecret } from '../vault/secrets.store.ts';
import { withValues } from './plan-secrets.ts';
import { standingWarnings } from './server-warnings.ts';
import type { ServerRow } from './servers.store.ts';

export interface PresentContext {
  readonly dataPlaneUrl: string;
  /** The global policy, which the warnings depend on too. */
  readonly policy: GlobalHeaderPolicy;
}

/** A server as it is read: of its secrets only that they are set, and since when. */
export function presentServer(row: ServerRow, secrets: readonly StoredSecret[], { dataPlaneUrl, policy }: PresentContext, changeWarnings: readonly Warning[] = []): ReadableServer {
  const marks = secrets.map(({ field, updatedAt }) => [field, { set: true, updatedAt: updatedAt.toISOString() }] as const);
  return readableServer.parse({
    kind: 'Server',
    id: row.id,
    workspace: row.workspace,
    ...withValues(row.document, marks),
    url: `${dataPlaneUrl}/mcp/${row.workspace}/${row.name}`,
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    warnings: [...standingWarnings(row, secrets.map(({ field }) => field), policy), ...changeWarnings],
  });
}
