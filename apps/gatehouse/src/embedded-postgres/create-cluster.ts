import { chmod, chown, mkdtemp, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runInitdb, runSingleUser } from './run-in-cluster.ts';
import type { Installation } from './run-in-cluster.ts';

/** The role that Gatehouse logs in as, and its database. The superuser has no password and no way in. */
export const ROLE = 'gatehouse';
export const DATABASE = 'gatehouse';

/** One collation and no other locale: what a database sorts by must not depend on the machine it was made on. */
const INITDB_OPTIONS = [
  '--username=postgres',
  '--auth=reject',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
  '--no-sync',
];

/** Creates the cluster with its role and database. It appears under its name only when it is complete and on disk. */
export async function createCluster(installation: Installation, cluster: string, password: string): Promise<void> {
  const staging = await mkdtemp(stagingPrefix(cluster));
  try {
    await chmod(staging, 0o700);
    const { uid, gid } = installation.user;
    if (uid !== undefined) await chown(staging, uid, gid);

    await runInitdb(installation, staging, INITDB_OPTIONS);
    await writeFile(join(staging, 'pg_hba.conf'), `host all ${ROLE} 127.0.0.1/32 scram-sha-256\n`);
    await runSingleUser(installation, staging, [
      `CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${password}'`,
      `CREATE DATABASE ${DATABASE} OWNER ${ROLE}`,
    ]);
    await runInitdb(installation, staging, ['--sync-only']);
    await rename(staging, cluster);
    await syncFolder(dirname(cluster));
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** For a cluster whose password file was lost: the data is worth more than the file. */
export function resetPassword(installation: Installation, cluster: string, password: string): Promise<void> {
  return runSingleUser(installation, cluster, [`ALTER ROLE ${ROLE} PASSWORD '${password}'`]);
}

function stagingPrefix(cluster: string): string {
  return `${cluster}.initdb-`;
}

/** Of a start that was killed. */
export async function removeAbandonedStaging(cluster: string): Promise<void> {
  for (const entry of await readdir(dirname(cluster))) {
    const path = join(dirname(cluster), entry);
    // Best effort: an initdb whose parent was killed a moment ago may still be writing there.
    if (path.startsWith(stagingPrefix(cluster))) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
