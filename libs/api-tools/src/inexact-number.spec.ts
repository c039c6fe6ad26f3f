import { expect, test } from 'vitest';
import { inexactNumber } from './inexact-number.ts';

test.each([
  ['{"id":9007199254740991}', undefined],
  ['{"id":9007199254740993}', 'id'],
  ['{"a":{"id":-9007199254740993}}', 'id'],
  ['{"a":[1,12345678901234567890]}', '1'],
  ['{"a":1e400}', 'a'],
  ['{"a":1e3,"b":0.1234567890123456789}', undefined],
  ['{"a":"9007199254740993"}', undefined],
  ['9007199254740993', ''],
])('%s', (text, expected) => expect(inexactNumber(text)).toBe(expected));
