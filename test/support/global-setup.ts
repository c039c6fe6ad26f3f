import type { TestProject } from 'vitest/node';
import { ensureChromium } from './chromium.ts';
import { startPostgresServer } from './postgres.ts';
import { ensureRedisServer } from './redis-binary.ts';

/** Once before the run, so that spec files can start what they need in parallel, and share what each has only a part of. @returns what to do after it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await ensureRedisServer();
  await ensureChromium();
  const postgres = await startPostgresServer();
  project.provide('postgresUrl', postgres.url);
  return () => postgres.close();
}
