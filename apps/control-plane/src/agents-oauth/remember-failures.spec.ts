import { expect, test } from 'vitest';
import { rememberFailures } from './remember-failures.ts';

const url = 'https://client.example/agent.json';

test('what could not be had is asked for again after a minute, and what could each time', async () => {
  let time = 0;
  const asked: string[] = [];
  const answers: Record<string, () => Response> = {
    [url]: () => new Response('{}'),
    [`${url}?gone`]: () => new Response('no', { status: 404 }),
    [`${url}?down`]: () => {
      throw new Error('down');
    },
  };
  const fetch = rememberFailures((input) => {
    const target = input as string;
    asked.push(target);
    return Promise.resolve().then(() => answers[target]?.() ?? new Response());
  }, () => time);
  const outcome = (target: string) => fetch(target).then(({ status }) => status, (error: unknown) => String(error));
  for (const target of [url, `${url}?gone`, `${url}?down`]) expect(await outcome(target)).toEqual(await outcome(target));
  expect(asked).toEqual([url, url, `${url}?gone`, `${url}?down`]);
  time = 60_000;
  expect([await outcome(`${url}?gone`), await outcome(`${url}?down`)]).toEqual([404, 'Error: down']);
  expect(asked).toHaveLength(6);
});

test('it remembers so many, the latest', async () => {
  let count = 0;
  const fetch = rememberFailures(() => Promise.resolve(new Response(null, { status: (count += 1) && 404 })), () => 0);
  for (let index = 0; index <= 1_000; index += 1) await fetch(`${url}?${index}`);
  await fetch(`${url}?1000`);
  expect(count).toBe(1_001);
  await fetch(`${url}?0`);
  expect(count).toBe(1_002);
});
