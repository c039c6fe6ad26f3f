import type { Database } from '../database/database.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { takeRevision } from '../snapshots/revisions.store.ts';
import { insertDefaultWorkspace } from './workspaces.store.ts';

/** The first start makes the workspace `default`. Of replicas that start at once, one does. */
export async function keepDefaultWorkspace(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    const id = uuidV7();
    if (await insertDefaultWorkspace(sql, id)) await takeRevision(sql, [id]);
  });
}
