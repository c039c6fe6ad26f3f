import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readInput } from './read-input.ts';

const target = { workspace: 'default', server: 'orders' };
const from = (text: string) => Readable.from([text]) as NodeJS.ReadableStream;
const read = (options: object, input = '') => readInput(target, { workspace: 'default', ...options }, from(input));

it('a request of nothing, of headers as they were typed, of a command, of standard input', async () => {
  expect(await read({})).toEqual({ request: { headers: [] } });
  expect(await read({ header: ['A: 1', 'a:2', 'B:'], request: 'GET' })).toEqual({ request: { method: 'GET', headers: ['A: 1', 'a:2', 'B:'] } });
  expect(await read({ curl: 'curl x' })).toEqual({ curl: 'curl x' });
  expect(await read({ curl: '-' }, 'curl y')).toEqual({ curl: 'curl y' });
  expect(await read({ har: '-' }, '{"request":{"method":"GET"}}')).toEqual({ har: { method: 'GET' } });
});

it.each([
  ['two ways at once', { curl: 'curl x', header: ['A: 1'] }, 2],
  ['no header', { header: ['nonsense'] }, 2],
  ['no such file', { har: '/nowhere.har' }, 1],
])('%s is refused', async (_, options, exitCode) => {
  await expect(read(options)).rejects.toMatchObject({ exitCode });
});

it.each(['Bearer k3y-of-somebody', 'k3y-of-somebody', ' k3y-of-somebody: x', ': k3y-of-somebody'])('what is no header is not repeated: %j', async (line) => {
  const failure: unknown = await read({ header: ['A: 1', line] }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining('-H number 2') as string });
  expect(String(failure)).not.toContain('k3y');
});
