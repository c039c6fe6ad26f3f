import { expect, it } from 'vitest';
import { ToolRules, type ToolRulesConfig } from './tool-rules.ts';

it.each<[ToolRulesConfig, may: string[], mayNot: string[]]>([
  [{}, ['anything', ''], []],
  [{ allow: ['read_*'] }, ['read_', 'read_orders'], ['Read_orders', 'xread_orders', 'read', '']],
  [{ deny: ['delete_*', '*_admin'] }, ['read_orders', 'deleted', 'Delete_x'], ['delete_', 'delete_orders', 'users_admin', '_admin']],
  [{ allow: ['*'], deny: ['drop'] }, ['drop_', ''], ['drop']],
  [{ allow: ['orders.*.read', 'ping'], deny: ['*secret*'] }, ['orders.eu.read', 'orders..read', 'ping'], ['orders.read', 'orders.secret.read', 'pong']],
  [{ allow: ['a*b*c'] }, ['abc', 'axbxc', 'abbbc', 'abcbc'], ['ab', 'acb', 'abcd', 'bac']],
  [{ allow: ['a*ba'] }, ['aba', 'ababa'], ['ab', 'a', 'ba']],
  [{ allow: ['a.c', 'x?'] }, ['a.c', 'x?'], ['abc', 'xy']],
  [{ allow: ['**'] }, ['', 'x'], []],
  [{ deny: ['é*'] }, ['e'], ['é', 'éa']],
])('%j', (config, may, mayNot) => {
  const { mayCall } = new ToolRules(config);
  expect(may.filter((name) => !mayCall(name))).toEqual([]);
  expect(mayNot.filter((name) => mayCall(name))).toEqual([]);
});

it('a pattern of many stars over a long name is no trap', () => {
  const { mayCall } = new ToolRules({ allow: [`${'a*'.repeat(120)}b`] });
  expect(mayCall('a'.repeat(100_000))).toBe(false);
});
