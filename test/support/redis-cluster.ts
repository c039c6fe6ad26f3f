import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { freePort, type RunningRedis, startRedis } from './redis.ts';

export interface RedisCluster {
  readonly url: string;
  readonly masters: readonly RunningRedis[];
  readonly replicas: readonly RunningRedis[];
  /** The master that holds a key. */
  readonly holderOf: (key: string) => Promise<RunningRedis>;
  readonly stop: () => Promise<void>;
}

const slots = 16_384;
const mastersCount = 3;

/** A cluster of three masters; `replicas` gives each one replica, which takes its place when it has been silent for a second. */
export async function startRedisCluster(options: { replicas?: boolean } = {}): Promise<RedisCluster> {
  const count = options.replicas ? 2 * mastersCount : mastersCount;
  const nodes = await Promise.all(Array.from({ length: count }, startNode));
  const admins = nodes.map(({ redis }) => new Redis(redis.url));
  for (const admin of admins) admin.on('error', () => undefined);
  const [first] = admins as [Redis];
  const ids = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'MYID') as Promise<string>));
  // Else some may begin in the same epoch, and sort that out later.
  await Promise.all(admins.map((admin, index) => admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)));
  await Promise.all(nodes.slice(1).map(({ redis, busPort }) => first.call('CLUSTER', 'MEET', '127.0.0.1', redis.port, busPort)));
  for (const [index, admin] of admins.slice(0, mastersCount).entries()) await admin.call('CLUSTER', 'ADDSLOTSRANGE', ...rangeOf(index));
  const everywhere = (isSo: (admin: Redis) => Promise<boolean>): Promise<void> => vi.waitFor(async () => {
    for (const admin of admins) if (!(await isSo(admin))) throw new Error('the cluster is not what it should be yet');
  }, { timeout: 60_000, interval: 50 });
  await everywhere(async (admin) => ((await admin.call('CLUSTER', 'NODES')) as string).split('connected').length > count);
  for (const [index, admin] of admins.slice(mastersCount).entries()) await admin.call('CLUSTER', 'REPLICATE', ids[index] ?? '');
  await everywhere(async (admin) => ((await admin.call('CLUSTER', 'INFO')) as string).includes('cluster_state:ok'));
  await everywhere(async (admin) => count === mastersCount || /role:master|master_link_status:up/.test(await admin.info('replication')));

  const servers = nodes.map(({ redis }) => redis);
  return {
    url: `redis+cluster://127.0.0.1:${servers[0]?.port},127.0.0.1:${servers[1]?.port}`,
    masters: servers.slice(0, mastersCount),
    replicas: servers.slice(mastersCount),
    holderOf: async (key) => servers[Math.floor((Number(await first.call('CLUSTER', 'KEYSLOT', key)) * mastersCount) / slots)] as RunningRedis,
    stop: async () => {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startNode(): Promise<{ redis: RunningRedis; busPort: number }> {
  const busPort = await freePort();
  const redis = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'] });
  return { redis, busPort };
}

const startOf = (index: number): number => Math.ceil((index * slots) / mastersCount);
const rangeOf = (index: number): [number, number] => [startOf(index), startOf(index + 1) - 1];
