import { expect, it } from 'vitest';
import type { MemberSelection } from './member-names.ts';
import { nameCollisions } from './name-collisions.ts';

it.each<[string, MemberSelection[], (string[] | undefined)[], [number, string][]]>([
  ['two of one name', [{}, {}], [['echo'], ['echo', 'old']], [[1, 'echo']]],
  ['kept apart by a prefix', [{}, { prefix: 'b_' }], [['echo'], ['echo']], []],
  ['made one by a prefix', [{}, { prefix: 'b_' }], [['b_echo'], ['echo']], [[1, 'b_echo']]],
  ['kept apart by a new name', [{}, { rename: { echo: 'say' } }], [['echo'], ['echo']], []],
  ['made one by a new name', [{}, { rename: { say: 'echo' } }], [['echo'], ['say']], [[1, 'echo']]],
  ['one of them not chosen', [{}, { tools: ['old'] }], [['echo'], ['echo', 'old']], []],
  ['nobody knows what the first has', [{}, {}], [undefined, ['echo']], []],
])('%s', (_case, members, tools, expected) => {
  expect(nameCollisions(members, tools, () => true).map(({ member, listed }) => [member, listed])).toEqual(expected);
});

it('what may not be called is in nobody’s way', () => {
  expect(nameCollisions([{}, {}], [['echo', 'old'], ['echo', 'old']], (listed) => listed !== 'echo').map(({ listed }) => listed)).toEqual(['old']);
});
