import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readOrCreateSecretFile } from '../data-directory.ts';
import type { DataDirectory } from '../data-directory.ts';
import { createCluster, DATABASE, removeAbandonedStaging, resetPassword, ROLE } from './create-cluster.ts';
import { EmbeddedPostgresFailed } from './embedded-postgres-error.ts';
import { findBinaries } from './find-binaries.ts';
import { installBinaries } from './install-binaries.ts';
import { launchServer } from './launch-server.ts';
import type { RunningServer } from './launch-server.ts';
import type { Installation } from './run-in-cluster.ts';
import { chooseServerUser } from './server-user.ts';
import { stopLeftoverServer } from './stop-leftover-server.ts';

export interface EmbeddedPostgres {
  /** `postgres://user:password@127.0.0.1:port/database` */
  readonly url: string;
  /** Disconnects everybody, shuts down, and resolves when the server is gone. */
  readonly stop: () => Promise<void>;
}

/** Where only root can write and everybody can read. */
const BINARIES_OF_ROOT = '/var/lib/gatehouse';

/**
 * Starts the Postgres that lives in a claimed data directory: `postgres/`, `postgres-password`, `postgres.log`. The first start
 * creates it. Throws `EmbeddedPostgresUnsupported` or `EmbeddedPostgresFailed`.
 */
export async function startEmbeddedPostgres({ path: dataDirectory }: DataDirectory): Promise<EmbeddedPostgres> {
  const cluster = join(dataDirectory, 'postgres');
  const packaged = await findBinaries();
  const user = await chooseServerUser(cluster);
  const asRoot = user.uid !== undefined;
  const home = asRoot ? BINARIES_OF_ROOT : join(dataDirectory, 'postgres-binaries');
  const installation = { user, binaries: await installBinaries(packaged, home, asRoot) };

  const password = await prepareCluster(installation, cluster, join(dataDirectory, 'postgres-password'));
  const server = await launchPatiently(installation, cluster, join(dataDirectory, 'postgres.log'));
  return {
    url: `postgres://${ROLE}:${password}@127.0.0.1:${server.port}/${DATABASE}`,
    stop: server.stop,
  };
}

/** Leaves a cluster on which no server runs, and the password that opens it. */
async function prepareCluster(installation: Installation, cluster: string, passwordFile: string): Promise<string> {
  await removeAbandonedStaging(cluster);
  if (!existsSync(cluster)) {
    // The password first: a cluster without its password is the worse half to be left with.
    const password = await readOrCreateSecretFile(passwordFile, makePassword);
    await createCluster(installation, cluster, password);
    return password;
  }
  await stopLeftoverServer(cluster);
  if (existsSync(passwordFile)) return readOrCreateSecretFile(passwordFile, makePassword);

  // The file last: until it exists, the next start does this again.
  const password = makePassword();
  await resetPassword(installation, cluster, password);
  return readOrCreateSecretFile(passwordFile, () => password);
}

/** Of letters and digits only, so that it needs no quoting in SQL or in a URL. */
function makePassword(): string {
  return randomBytes(24).toString('hex');
}

/** What passes by itself: a port taken meanwhile, a server or its sessions on their way out after their parent was killed. */
const passing = [
  'could not create any TCP/IP sockets',
  'lock file "postmaster.pid" already exists',
  'pre-existing shared memory block',
];

async function launchPatiently(installation: Installation, cluster: string, logPath: string): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchServer(installation, cluster, logPath);
    } catch (error) {
      const isPassing = error instanceof EmbeddedPostgresFailed && passing.some((reason) => error.output.includes(reason));
      if (!isPassing || attempt === 10) throw error;
      await delay(300);
      await stopLeftoverServer(cluster);
    }
  }
}
