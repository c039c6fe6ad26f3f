import { expect, it } from 'vitest';
import type { ApiOperation } from '../api-operation.ts';
import { applyEdits } from './apply-edits.ts';
import { diffOperations } from './diff-operations.ts';

const tool = (name: string, more: Partial<ApiOperation> = {}): ApiOperation => ({
  name, method: 'GET', path: `/${name}`, parameters: [], accept: 'application/json', inputSchema: { type: 'object' }, annotations: {}, ...more,
});
const tools = [tool('a', { description: 'A' }), tool('b'), tool('c')];

it('changes what an edit names, and nothing else', () => {
  const { operations, orphaned, problems } = applyEdits(tools, [{ operation: 'a', name: 'first', description: 'The first' }, { operation: 'c', hidden: true }]);
  expect(operations).toEqual([{ ...tools[0], name: 'first', description: 'The first' }, tools[1]]);
  expect([orphaned, problems]).toEqual([[], []]);
});

it('says which edits are of tools that are not there', () => {
  expect(applyEdits(tools, [{ operation: 'b', title: 'B' }, { operation: 'gone', hidden: true }]).orphaned).toEqual([1]);
});

it.each([
  ['the name of a tool that is there', [{ operation: 'a', name: 'b' }], ['/0/name']],
  ['the new name of another', [{ operation: 'a', name: 'x' }, { operation: 'b', name: 'x' }], ['/1/name']],
  ['the name of one that has another now', [{ operation: 'a', name: 'b' }, { operation: 'b', name: 'a' }], []],
  ['the name of one that is hidden', [{ operation: 'a', name: 'b' }, { operation: 'b', hidden: true as const }], []],
  ['its own name', [{ operation: 'a', name: 'a' }], []],
])('a new name may not be in use: %s', (_name, edits, pointers) => {
  expect(applyEdits(tools, edits).problems.map(({ pointer }) => pointer)).toEqual(pointers);
});

it('a diff names what came, what went and what changed', () => {
  const after = [tool('a', { description: 'Another' }), tool('b'), tool('d')];
  expect(diffOperations(tools, after)).toEqual({ added: ['d'], removed: ['c'], changed: [{ tool: 'a', fields: ['description'] }], unchanged: 1 });
});
