import { accountDocument, connectPublisher, serverDocument } from './publish-configuration.ts';
import type { BenchOptions } from './options.ts';
import { makeSecrets } from './bench-secrets.ts';
import type { Cores } from './cores.ts';
import { startGateway } from './gateway.ts';
import { type EditTimes, measureEdits, serverName } from './measure-edits.ts';
import { usageOf } from './process-usage.ts';
import { echoPath, startUpstream } from './upstream.ts';
import { startRedis } from './workspace-support.ts';

export interface ServersResult {
  readonly serverCount: number;
  readonly publishMs: number;
  readonly startFromRedisMs: number;
  readonly startFromDiskMs: number;
  readonly rssAfterStartMb: number;
  readonly rssAfterEditsMb: number;
  readonly edits: EditTimes;
}

/** A data plane with so many servers: how it starts, what it takes, and how soon an edit is served. */
export async function measureServers(serverCount: number, edits: number, options: BenchOptions, cores: Cores, folder: string): Promise<ServersResult> {
  await using stack = new AsyncDisposableStack();
  const secrets = makeSecrets();
  const upstream = await startUpstream(folder, cores.rest, secrets);
  stack.defer(() => upstream.process.stop());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const publisher = connectPublisher(redis.url, secrets);
  stack.defer(() => publisher.close());

  const servers = Array.from({ length: serverCount }, (_, index) => serverDocument(serverName(index), `${upstream.origin}${echoPath}${serverName(index)}`, secrets));
  const publishedAt = performance.now();
  await publisher.replaceAll([accountDocument(secrets), ...servers]);
  const publishMs = performance.now() - publishedAt;

  const start = (): ReturnType<typeof startGateway> => startGateway({ script: options.gateway, name: 'gateway', folder, core: cores.proxy, redisUrl: redis.url, secrets });
  const first = await start();
  stack.defer(() => first.process.stop());
  const rssAfterStartMb = usageOf(first.process.pid)?.rssMb ?? Number.NaN;
  const editTimes = await measureEdits(first, publisher, upstream, secrets, serverCount, edits);
  const rssAfterEditsMb = usageOf(first.process.pid)?.rssMb ?? Number.NaN;

  // Stopping writes what is not on disk yet; then nothing but the disk is left to start from.
  await first.process.stop();
  await publisher.close();
  await redis.stop();
  const second = await start();
  stack.defer(() => second.process.stop());
  return { serverCount, publishMs, startFromRedisMs: first.readyAfterMs, startFromDiskMs: second.readyAfterMs, rssAfterStartMb, rssAfterEditsMb, edits: editTimes };
}
