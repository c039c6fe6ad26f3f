import { describe, expect, it } from 'vitest';
import { TextFinder } from './text-finder.ts';

/** What is found, as the text itself. */
const found = (texts: readonly string[], text: string): string[] => new TextFinder(texts).find(text).map(({ start, end }) => text.slice(start, end));

describe('finds', () => {
  it.each<[string, string[], string, string[]]>([
    ['nothing of nothing', [], 'text', []],
    ['nothing in nothing', ['abcd'], '', []],
    ['a text, each time', ['abcd'], 'abcd-abcd', ['abcd', 'abcd']],
    ['one after another', ['abcd'], 'abcdabcd', ['abcd', 'abcd']],
    ['without case, beyond ASCII too', ['Añb-Ü'], 'xaÑB-üx', ['aÑB-ü']],
    ['what begins inside of what was nearly another', ['aab', 'ac'], 'aaac aaab', ['ac', 'aab']],
    ['one inside of another', ['abcdef', 'cd'], 'abcdef abcd', ['abcdef', 'cd']],
    ['one that ends in another', ['abcd', 'cdef'], 'abcdef', ['abcdef']],
    ['overlapping ones as one', ['aba'], 'ababa aba', ['ababa', 'aba']],
    ['one that covers several', ['bb', 'cc', 'abbccd'], 'bb cc abbccd', ['bb', 'cc', 'abbccd']],
    ['not what lacks its end', ['abcd'], 'abc', []],
  ])('%s', (_, texts, text, expected) => {
    expect(found(texts, text)).toEqual(expected);
  });

  it('a long text by its beginning, and takes the rest to follow', () => {
    const long = Array.from({ length: 20 }, (_, index) => `part-${index}.`).join('');
    expect(found([long], `x${long}y`)).toEqual([long]);
    expect(found([long], `x${long.slice(0, 40)} and no more`)).toEqual([`${long.slice(0, 40)} and no more`]);
    expect(found([long], long.slice(0, 31))).toEqual([]);
  });
});

it('finds what is found by looking at each place', () => {
  // Numbers that come out the same each time (Lehmer).
  let seed = 42;
  const below = (limit: number): number => (seed = (seed * 48_271) % 2_147_483_647) % limit;
  const word = (length: number): string => Array.from({ length }, () => 'ab'.charAt(below(2))).join('');
  for (let round = 0; round < 500; round += 1) {
    const texts = Array.from({ length: 1 + below(5) }, () => word(1 + below(6)));
    const text = word(below(40));
    const covered = [...text].map((_, at) => texts.some((one) => Array.from(one, (__, back) => at - back).some((start) => start >= 0 && text.startsWith(one, start))));
    const spans = new TextFinder(texts).find(text);
    expect([...text].map((_, at) => spans.some(({ start, end }) => start <= at && at < end)), `${texts.join()} in ${text}`).toEqual(covered);
  }
});

/** With a regular expression of these alternatives, or by comparing at each place, it takes minutes: it runs into the time limit of the test. */
describe('takes time in proportion to what is searched', () => {
  const size = 4 * 1_048_576;
  const block = (unit: string): string => unit.repeat(Math.floor(size / unit.length));

  it.each([
    ['a text that repeats itself, and never ends as it should', [`${'a'.repeat(60_000)}b`], block('a')],
    ['beginnings of a text', ['abcdefgh'.repeat(8_000)], block('abcdefg')],
    ['very many texts', Array.from({ length: 4_000 }, (_, index) => `${'x'.repeat(index % 30)}-${index}-${'y'.repeat(200)}`), block('x')],
    ['very many places', ['abab'], block('ab')],
  ])('%s', (_, texts, text) => {
    expect(new TextFinder(texts).find(text).length).toBeLessThan(2);
  });
});
