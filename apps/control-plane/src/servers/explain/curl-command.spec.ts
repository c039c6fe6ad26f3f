import { describe, expect, it } from 'vitest';
import { readCurlCommand } from './curl-command.ts';
import type { GivenRequest } from './given-request.ts';

function requestOf(command: string): GivenRequest {
  const read = readCurlCommand(command);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read;
}

const url = 'https://gateway.example/mcp/default/orders?a=1&b=2';

describe('headers', () => {
  it.each([
    ['-H and --header, in their order', `curl '${url}' -H 'A: b' --header "C: d"`, ['A', 'b', 'C', 'd']],
    ['attached to the letter', `curl -H'A: b' -sSLH "C: d"`, ['A', 'b', 'C', 'd']],
    ['with colons and quotes inside', String.raw`curl -H "A: b:\"c\"" -H $'X: it\'s'`, ['A', 'b:"c"', 'X', 'it\'s']],
    ['twice the same', `curl -H 'A: 1' -H 'a: 2'`, ['A', '1', 'a', '2']],
    ['empty by a semicolon', `curl -H 'A;' -H 'B: ;'`, ['A', '', 'B', ';']],
    ['taken out by an empty value', `curl -A me -H 'User-Agent:' -H 'X-Empty:'`, []],
    ['user and password', 'curl -u ana:ö', ['Authorization', `Basic ${Buffer.from('ana:ö').toString('base64')}`]],
    ['a given one takes the place of a generated one', `curl -u a:b -H 'authorization: Bearer t'`, ['authorization', 'Bearer t']],
    ['cookie, agent, referer, bearer', `curl -b 'a=1; b=2' -A me -e 'https://x.example;auto' --oauth2-bearer t`, [
      'Cookie', 'a=1; b=2', 'User-Agent', 'me', 'Referer', 'https://x.example', 'Authorization', 'Bearer t',
    ]],
    ['JSON', `curl --json '{}'`, ['Content-Type', 'application/json', 'Accept', 'application/json']],
    ['beyond Latin-1, in the bytes of the wire', `curl -H 'A: 東'`, ['A', Buffer.from('東').toString('latin1')]],
    ['without white space around them', `curl -H 'A:  b  '`, ['A', 'b']],
  ])('%s', (_, command, rows) => {
    expect(requestOf(command).rows).toEqual(rows);
  });
});

describe('method, path and body', () => {
  it.each([
    ['GET where there is nothing to send', `curl '${url}'`, 'GET', undefined],
    ['POST with data', `curl ${url.replace('&', '%26')} -d '{}'`, 'POST', '{}'],
    ['as -X says', 'curl -XDELETE x', 'DELETE', undefined],
    ['in capitals', 'curl -X post x', 'POST', undefined],
    ['data that is put together', `curl -d a=1 --data-raw @b --data-binary c x`, 'POST', 'a=1&@b&c'],
    ['JSON that is put together', `curl --json '{"a"' --json ':1}' x`, 'POST', '{"a":1}'],
    ['encoded data', `curl --data-urlencode 'a=b c' --data-urlencode '=d e' x`, 'POST', 'a=b%20c&d%20e'],
    ['data that goes into the query', 'curl -G -d a=1 x', 'GET', undefined],
    ['only the head', 'curl -I x', 'HEAD', undefined],
  ])('%s', (_, command, method, body) => {
    expect(requestOf(command)).toMatchObject({ method, body });
  });

  it.each([
    [`curl '${url}'`, '/mcp/default/orders?a=1&b=2'],
    ['curl gateway.example:3001/mcp/default/orders', '/mcp/default/orders'],
    [`curl --url '${url}' https://second.example/`, '/mcp/default/orders?a=1&b=2'],
    [`curl -H 'A: b'`, undefined],
  ])('%s is for %s', (command, path) => {
    expect(requestOf(command).path).toBe(path);
  });

  it('is read as browsers copy it for cmd.exe', () => {
    const command = 'curl.exe ^"https://gateway.example/mcp/default/orders^" ^\r\n  -H ^"A: b^" ^\r\n  --data-raw ^"^{\\^"a\\^":1^}^"';
    expect(requestOf(command)).toMatchObject({ method: 'POST', path: '/mcp/default/orders', rows: ['A', 'b'], body: '{"a":1}' });
  });

  it.each(['$ curl x', '/usr/bin/curl x', 'curl x | jq .', 'curl --compressed -sSkL --max-time 5 -o out x > log'])('%s', (command) => {
    expect(requestOf(command)).toMatchObject({ method: 'GET', path: '/', rows: [] });
  });
});

describe('refused, never quoting what was pasted', () => {
  it.each([
    ['no curl', 'wget https://x.example'],
    ['nothing', ''],
    ['an open quote', `curl -H 'A: s3cret`],
    ['a header from a file', 'curl -H @s3cret'],
    ['data from a file', 'curl -d @s3cret x'],
    ['JSON from a file', 'curl --json @s3cret x'],
    ['a cookie file', 'curl -b s3cret x'],
    ['an upload', 'curl -T s3cret x'],
    ['a configuration', 'curl -K s3cret x'],
    ['an unknown option', 'curl --s3cret-option=s3cret x'],
    ['an unknown letter', 'curl -§ s3cret x'],
    ['a header that is none', `curl -H 's3cret'`],
    ['a name that is none', `curl -H 's3cret name: v'`],
    ['a method that is none', `curl -X 's3cret!' x`],
    ['a missing value', 'curl s3cret -H'],
  ])('%s', (_, command) => {
    const read = readCurlCommand(command);
    expect(read).toMatchObject({ problems: [{ pointer: '/curl' }] });
    expect(JSON.stringify(read)).not.toContain('s3cret');
  });

  it('names every problem, and which header it is', () => {
    const named = ['number 2', '--foo'].map((words) => ({ detail: expect.stringContaining(words) as string }));
    expect(readCurlCommand(`curl -H 'A: b' -H 'bad' --foo`)).toMatchObject({ problems: named });
  });
});
