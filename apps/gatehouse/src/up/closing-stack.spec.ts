import { expect, it } from 'vitest';
import { ClosingStack } from './closing-stack.ts';

it('closes in the reverse order, also after one that fails', async () => {
  const closed: string[] = [];
  const failed: string[] = [];
  const stack = new ClosingStack((name, _tookMs, error) => (error === undefined ? closed : failed).push(name));
  stack.add('database', () => undefined);
  stack.add('control plane', () => Promise.reject(new Error('no')));
  stack.add('data plane', () => Promise.resolve());
  await stack.close();
  await stack.close();
  expect(closed).toEqual(['data plane', 'database']);
  expect(failed).toEqual(['control plane']);
});
