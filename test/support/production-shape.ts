import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { type GatehouseProcess, startGatehouse } from './gatehouse-process.ts';
import { type PostgresServer, startPostgresServer } from './postgres.ts';
import { type RunningRedis, startRedis } from './redis.ts';
import { runCommand } from './run-command.ts';
import { fileURLToPath } from 'node:url';

export interface DataPlaneProcess extends GatehouseProcess {
  readonly internalUrl: string;
}

/** Postgres, Redis, a control plane and data planes, each a process of its own, as in production. */
export interface ProductionShape {
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly redis: RunningRedis;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** The administrator, wherever the control plane is reached. */
  adminAt(url: string): AdminClient;
  /** @param ofBuild the executable of another build */
  startControlPlane(more?: Record<string, string>, ofBuild?: string): Promise<{ process: GatehouseProcess; admin: AdminClient; internalUrl: string }>;
  /** @param name also of its folder on disk, so that a data plane started again finds its snapshot */
  startDataPlane(name: string, more?: Record<string, string>, ofBuild?: string): Promise<DataPlaneProcess>;
  close(): Promise<void>;
}

const executable = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));

export async function startProductionShape(more: Record<string, string> = {}): Promise<ProductionShape> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-production-'));
  const [postgres, redis] = await Promise.all([startPostgresServer(), startRedis()]);
  const databaseUrl = await postgres.createDatabase();
  const adminToken = randomBytes(32).toString('hex');
  const environment = {
    GATEHOUSE_REDIS_URL: redis.url,
    GATEHOUSE_SNAPSHOT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_DATA_PLANE_TOKEN: randomBytes(32).toString('base64'),
    GATEHOUSE_SNAPSHOT_POLL_SECONDS: '1',
    GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
    ...more,
  };
  const controlPlaneEnvironment = {
    ...environment,
    GATEHOUSE_DATABASE_URL: databaseUrl,
    GATEHOUSE_VAULT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_CONTROL_PLANE_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_PORT: '0',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_HOST: '127.0.0.1',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: '0',
  };
  const processes: GatehouseProcess[] = [];
  await runCommand(process.execPath, [executable, 'migrate'], { env: controlPlaneEnvironment });

  return {
    postgres,
    databaseUrl,
    redis,
    environment: controlPlaneEnvironment,
    folder,
    adminAt: (url) => createAdminClient(url, adminToken),
    startControlPlane: async (moreOfIt = {}, ofBuild = executable) => {
      const started = await startGatehouse(['control-plane', '--json'], { env: { ...controlPlaneEnvironment, ...moreOfIt }, executable: ofBuild });
      processes.push(started);
      return { process: started, admin: createAdminClient(started.controlPlaneUrl, adminToken), internalUrl: internalUrlOf(started) };
    },
    startDataPlane: async (name, moreOfIt = {}, ofBuild = executable) => {
      const started = await startGatehouse(['data-plane', '--json'], {
        env: {
          ...environment,
          GATEHOUSE_DATA_PLANE_ID: name,
          GATEHOUSE_DATA_PLANE_HOST: '127.0.0.1',
          GATEHOUSE_DATA_PLANE_PORT: '0',
          GATEHOUSE_DATA_PLANE_INTERNAL_HOST: '127.0.0.1',
          GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
          GATEHOUSE_SNAPSHOT_DIR: join(folder, name),
          ...moreOfIt,
        },
        executable: ofBuild,
      });
      processes.push(started);
      return { ...started, internalUrl: internalUrlOf(started) };
    },
    close: async () => {
      await Promise.all(processes.map((started) => started.stop()));
      await Promise.all([postgres.close(), redis.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const internalUrlOf = (started: GatehouseProcess): string => /"internalUrl":"([^"]+)"/.exec(started.output())?.[1] ?? '';
