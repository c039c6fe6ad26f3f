import { describe, expect, it } from 'vitest';
import { readShellWords } from './shell-words.ts';

const words = (text: string) => readShellWords(text)?.words;

describe('words', () => {
  it.each([
    ['plain, between blanks', '  a  b\tc ', ['a', 'b', 'c']],
    ['single quotes keep everything', String.raw`'a "b" \n $c'`, [String.raw`a "b" \n $c`]],
    ['double quotes, with their escapes', String.raw`"a 'b' \"c\" \\ \$d \n"`, [String.raw`a 'b' "c" \ $d \n`]],
    ['pieces of one word', `a'b'"c"\\ d`, ['abc d']],
    ['empty ones', `'' "" $''`, ['', '', '']],
    ['as bash quotes what it cannot spell', String.raw`$'it\'s \x41\u00e9\U0001F600\101\t\\'`, ['it\'s Aé😀A\t\\']],
    ['over several lines', 'a \\\n  b \\\r\n c \\  \n d', ['a', 'b', 'c', 'd']],
    ['a line in double quotes that goes on', '"a\\\nb"', ['ab']],
    ['up to the end of the command', 'a b | c d', ['a', 'b']],
    ['up to the end of its line', 'a b\nc', ['a', 'b']],
    ['an & in quotes is text', `'a&b'`, ['a&b']],
    ['a backslash at the very end', 'a \\', ['a', '']],
  ])('%s', (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each([`a 'b`, 'a "b', `a $'b`])('%s: a quote that is not closed is no command', (text) => {
    expect(words(text)).toBeUndefined();
  });
});

describe('what a shell would expand is text, and it shows', () => {
  it.each([
    ['"Bearer $TOKEN"', true], ['$TOKEN', true], ['"$(cat token)"', true], ['"${A}"', true], ['`date`', true],
    [`'$TOKEN'`, false], [String.raw`"\$TOKEN"`, false], ['"$ 5"', false], [`$'a'`, false],
  ])('%s: %s', (text, hasExpansions) => {
    expect(readShellWords(text)?.hasExpansions).toBe(hasExpansions);
  });
});
