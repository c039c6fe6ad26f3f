import { expect, test } from 'vitest';
import { pointerOf } from './pointer-of.ts';

test.each<[PropertyKey[], string]>([
  [[], ''],
  [['a', 0, 'b'], '/a/0/b'],
  [['a/b', 'm~n', '~1', ''], '/a~1b/m~0n/~01/'],
])('%j is the pointer %j (RFC 6901 section 3)', (path, pointer) => {
  expect(pointerOf(path)).toBe(pointer);
});
