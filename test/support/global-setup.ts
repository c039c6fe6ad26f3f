import { ensureRedisServer } from './redis-binary.ts';

/** Once before the run, so that spec files can start their Redis in parallel. */
export default async function setup(): Promise<void> {
  await ensureRedisServer();
}
