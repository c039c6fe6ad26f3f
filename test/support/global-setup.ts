import { ensureChromium } from './chromium.ts';
import { ensureRedisServer } from './redis-binary.ts';

/** Once before the run, so that spec files can start what they need in parallel. */
export default async function setup(): Promise<void> {
  await ensureRedisServer();
  await ensureChromium();
}
