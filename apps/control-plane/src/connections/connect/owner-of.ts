import type { Sql } from '../../database/sql.ts';
import { lookUpApp } from '../../apps/apps.store.ts';
import type { ServerRow } from '../../servers/servers.store.ts';
import type { ConnectionAuth } from '../broker/find-subject.store.ts';
import type { ConnectOrder } from '../connect-links.service.ts';

/** What a server's connections are of; undefined where it names an app that is not there. */
export async function ownerOf(sql: Sql, { id, workspaceId }: ServerRow, { app, discover }: ConnectionAuth): Promise<Pick<ConnectOrder, 'ownerKind' | 'ownerId'> | undefined> {
  if (discover === true) return { ownerKind: 'server', ownerId: id };
  const found = app === undefined ? undefined : await lookUpApp(sql, workspaceId, app);
  return found && { ownerKind: 'app', ownerId: found.id };
}
