import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchSecrets, makeSecrets } from '../bench-secrets.ts';
import { type Cores, pinned } from '../cores.ts';
import { type RunningGateway, startGateway } from '../gateway.ts';
import { RunningProcess } from '../running-process.ts';
import { runCommand, startRedis } from '../workspace-support.ts';
import { type AdminClient, claimDataDirectory, createAdminClient, startEmbeddedPostgres } from './fleet-support.ts';

/** A control plane with its database and Redis, and data planes as they are needed. */
export interface Fleet {
  readonly admin: AdminClient;
  readonly secrets: BenchSecrets;
  startDataPlane(): Promise<RunningGateway>;
}

/** @param stack ends all of it, in the order opposite to that in which it was started */
export async function startFleet(script: string, cores: Cores, folder: string, stack: AsyncDisposableStack): Promise<Fleet> {
  const secrets = makeSecrets();
  const directory = join(folder, 'database');
  await mkdir(directory);
  const claimed = await claimDataDirectory(directory);
  stack.defer(() => claimed.close());
  const postgres = await startEmbeddedPostgres(claimed);
  stack.defer(() => postgres.stop());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const adminToken = randomBytes(32).toString('hex');
  const environment = {
    GATEHOUSE_DATABASE_URL: postgres.url,
    GATEHOUSE_REDIS_URL: redis.url,
    GATEHOUSE_SNAPSHOT_KEY: secrets.snapshotKey.toString('base64'),
    GATEHOUSE_DATA_PLANE_TOKEN: randomBytes(32).toString('base64'),
    GATEHOUSE_VAULT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
    GATEHOUSE_CONTROL_PLANE_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_PORT: '0',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: '0',
  };
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, [script, 'migrate'], { env: { ...process.env, ...environment } });
  if (exitCode !== 0) throw new Error(`migrate ended with ${exitCode}: ${stderr}${stdout}`);
  const controlPlane = new RunningProcess({ command: pinned(cores.rest, [process.execPath, script, 'control-plane', '--json']), environment, outputFile: join(folder, 'control-plane.log') });
  stack.defer(() => controlPlane.stop());
  const url = await controlPlane.until('the control plane', () => controlPlaneUrlIn(controlPlane.outputFile), 20, 60_000);

  let started = 0;
  return {
    admin: createAdminClient(url, adminToken),
    secrets,
    startDataPlane: async () => {
      started += 1;
      const dataPlane = await startGateway({ script, name: `data-plane-${started}`, folder, core: cores.proxy, redisUrl: redis.url, secrets });
      stack.defer(() => dataPlane.process.stop());
      return dataPlane;
    },
  };
}

async function controlPlaneUrlIn(file: string): Promise<string | undefined> {
  const line = (await readFile(file, 'utf8')).split('\n').find((text) => text.startsWith('{"ready":true'));
  return line === undefined ? undefined : (JSON.parse(line) as { controlPlaneUrl: string }).controlPlaneUrl;
}
