import { describe, expect, it } from 'vitest';
import { readCurlCommand } from './curl-command.ts';
import { maxInputBytes } from './explain-input.ts';
import { readGivenRequest } from './read-given-request.ts';
import { CallerSecrets, maskSecret } from './secret-values.ts';

/**
 * Sixteen times what is accepted: work that grows with the square of it takes minutes and runs into the time limit of the test,
 * what grows with it takes a second.
 */
const size = 16 * maxInputBytes;
const filled = (unit: string, before = '', after = ''): string => before + unit.repeat(Math.floor((size - before.length - after.length) / unit.length)) + after;
const headers = Array.from({ length: size / 32 }, (_, index) => ({ name: `X-${index}`, value: 'eyJ' }));

describe('what reads a curl command takes time in proportion to it', () => {
  it.each([
    ['words', filled('a ', 'curl ')],
    ['flags', filled('-s ', 'curl ')],
    ['flags in one word', filled('s', 'curl -')],
    ['options that nobody knows', filled('--x ', 'curl ')],
    ['headers', filled('-Ha:b ', 'curl ')],
    ['headers, and what curl would write unless they were given', filled('-Ax -Hb:c ', 'curl ')],
    ['headers that are taken out', filled("-H'a:' ", 'curl ')],
    ['one header of semicolons', filled('a ;', "curl -H '", "x'")],
    ['one header of blanks', filled(' ', "curl -H 'a:", "x'")],
    ['backslashes and blanks', filled('\\ \t', 'curl ')],
    ['backslashes before what is nearly a line end', filled('\\\r\t', 'curl ')],
    ['a quote that holds others', filled('\\"', 'curl "', '"')],
    ['escapes', filled(String.raw`\x41`, "curl $'", "'")],
    ['carets', filled('^\r', 'curl ^"', '^"')],
    ['data', filled('-d a ', 'curl ')],
    ['a URL', filled('a/../', 'curl http://x/')],
    ['a URL in letters of another script', filled('東', 'curl http://')],
  ])('of %s', (_, command) => {
    expect(readCurlCommand(command)).toBeDefined();
  });
});

describe('so does what reads', () => {
  it.each([
    ['an entry of an archive', { har: { method: 'POST', url: filled('東.', 'http://'), headers } }],
    ['a list of headers', { request: { headers } }],
    ['a list of lines', { request: { headers: headers.map(({ name, value }) => `${name}: ${value}`) } }],
    ['an object of headers', { request: { headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])) } }],
    ['a value', { request: { headers: [filled('eyJ', 'X-A: ')] } }],
  ])('%s', (_, input) => {
    expect(readGivenRequest(input).rows.length).toBeGreaterThan(0);
  });
});

describe('so does what looks for secrets in', () => {
  it.each([
    ['beginnings of tokens', filled('eyJ')],
    ['beginnings of tokens, each with what may be a claim set', filled('eyJaaaaa', 'eyJaaaaa.')],
    ['dots', filled('eyJaaaaa..')],
    ['a scheme and blanks', filled(' ', 'bearer', 'x')],
    ['beginnings of a service account’s key', filled('gatehouse_0123456789abcde')],
  ])('%s', (_, value) => {
    const callers = new CallerSecrets(['X-Plain', value, 'X-Key', value]);
    expect(callers.has(['X-Plain'], value)).toBe(true);
    expect(maskSecret(value).length).toBeLessThan(20);
  });

  it('many values, of which each may hold any other', () => {
    const rows = Array.from({ length: 100 }, (_, index) => [`X-Key-${index}`, filled('a', `${index} `)]).flat();
    const callers = new CallerSecrets(rows.map((row, index) => (index % 2 === 0 ? row : row.slice(-40_000))));
    expect(callers.has(['X-Plain'], filled('ab'))).toBe(false);
  });
});
