import { readFile } from 'node:fs/promises';
import { Secret } from '@gatehouse/sealing';
import { redisSettings } from '@gatehouse/snapshot-channel';
import { expect, it } from 'vitest';

it('every URL in docs/redis.md is one that is taken', async () => {
  const text = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const urls = [...text.matchAll(/`(rediss?[+\w]*:\/\/[^`]+)`/g)].map(([, url = '']) => url);
  expect(urls.length).toBeGreaterThan(4);
  for (const url of urls) expect([url, redisSettings.REDIS_URL.schema.safeParse(new Secret(url)).success]).toEqual([url, true]);
});
