import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { endAndClean, freePort, type RunningRedis, startRedis } from './redis.ts';
import { endWithThisProcess } from './run-command.ts';

export interface RedisBehindSentinels {
  readonly url: string;
  /** The one that is the master at first. */
  readonly master: RunningRedis;
  readonly replica: RunningRedis | undefined;
  /** Where the sentinels say that the master is. */
  readonly masterPort: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

const name = 'main';

/** A Redis and its sentinels, with a replica that they make the master a second after the other one was heard of last. */
export async function startRedisBehindSentinels(options: { sentinels?: number; replica?: boolean; password?: string } = {}): Promise<RedisBehindSentinels> {
  const { sentinels: count = 1, replica: isReplicated = false, password } = options;
  const login = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
  const master = await startRedis({ args: login });
  const replica = isReplicated ? await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port), ...login] }) : undefined;
  const sentinels = await Promise.all(Array.from({ length: count }, () => startSentinel(master.port, Math.floor(count / 2) + 1, password)));
  const ask = new Redis({ port: sentinels[0]?.port ?? 0, lazyConnect: true, retryStrategy: () => 100 });
  ask.on('error', () => undefined);
  const others = async (of: 'sentinels' | 'replicas'): Promise<string> => JSON.stringify(await ask.call('SENTINEL', of, name));
  // Whoever does not know the replica, or each other, cannot replace the master.
  await vi.waitFor(async () => {
    const replicas = await others('replicas');
    if (isReplicated && !replicas.includes('"master-link-status","ok"')) throw new Error('the sentinels do not know the replica');
    if ((await others('sentinels')).split('"runid"').length !== count) throw new Error('the sentinels do not know each other');
  }, { timeout: 60_000, interval: 100 });

  return {
    url: `redis+sentinel://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${name}`,
    master,
    replica,
    masterPort: async () => Number(((await ask.call('SENTINEL', 'get-master-addr-by-name', name)) as string[])[1]),
    stop: async () => {
      ask.disconnect();
      await Promise.all(sentinels.map(({ stop }) => stop()));
      await Promise.all([master.stop(), replica?.stop()]);
    },
  };
}

async function startSentinel(masterPort: number, quorum: number, password: string | undefined): Promise<{ port: number; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const port = await freePort();
  // It writes what it learns into its file.
  await writeFile(file, [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
  ].join('\n'));
  const child: ChildProcess = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  endWithThisProcess(child);
  return { port, stop: () => endAndClean(child, 'SIGKILL', folder) };
}
