import { afterEach, describe, expect, it } from 'vitest';
import { startRecordingUpstream } from '../../../../../test/support/recording-upstream.ts';
import { discoverServer } from './discover-server.ts';
import { secretMask } from './mask-secrets.ts';
import { apiKey, apiKeyValue, localOnly, serverAt } from './probe.fixture.ts';
import { testServer } from './test-server.ts';
import { quote } from './upstream-exchanges.ts';

/**
 * What an upstream answers to whoever tests it must not occupy the control plane. Each of these took it minutes, or half of one
 * for each answer, and runs into the time limit of the test where it does again.
 */
const maxBytes = 5 * 1_048_576 - 1_024;
const filled = (unit: string, bytes = maxBytes): string => unit.repeat(Math.floor(bytes / unit.length));

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function upstreamAnswering(contentType: string, answer: (id: unknown, method: string) => string): Promise<string> {
  const upstream = await startRecordingUpstream({
    handler: (request, response) => {
      const { id, method = '' } = JSON.parse(request.body.toString() || '{}') as { id?: unknown; method?: string };
      response.writeHead(200, { 'Content-Type': contentType }).end(answer(id, method));
    },
  });
  cleanUps.push(() => upstream.close());
  return upstream.url;
}

/** JSON that is put together as text: some of it is nested too deep to be made of values. */
const result = (id: unknown, fields: string): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private",${fields}}}`;
const upstreamListing = (tools: string, capabilities = '{"tools":{}}'): Promise<string> =>
  upstreamAnswering('application/json', (id, method) => result(id, method === 'tools/list' ? `"tools":[${tools}]` : `"supportedVersions":["2026-07-28"],"capabilities":${capabilities}`));

describe('an answer that is no MCP', () => {
  it.each([
    ['text/plain', filled('<')],
    ['text/html', filled('<title ')],
    ['text/html', filled('<title>')],
    ['text/html', filled('<a>')],
    ['text/plain', filled(' ')],
    ['text/plain', filled(apiKeyValue.slice(0, -1))],
  ])('%s of %.10s…', async (contentType, text) => {
    const url = await upstreamAnswering(contentType, () => text);
    const report = await testServer(serverAt(url, apiKey()), localOnly);
    expect(report.steps.find(({ outcome }) => outcome === 'failed')).toMatchObject({ reason: 'upstream_not_mcp' });
    await expect(discoverServer(serverAt(url, apiKey()), localOnly)).rejects.toMatchObject({ code: 'upstream_not_mcp' });
  });
});

describe('an answer of more values than any upstream means', () => {
  it.each([
    ['tools that are none', () => upstreamListing(`${filled('0,')}0`)],
    ['tools of nothing', () => upstreamListing(`${filled('{},')}{}`)],
    ['a schema that is nested too deep', () => upstreamListing(`{"name":"a","inputSchema":{"type":"object","a":${filled('[', maxBytes / 2)}${filled(']', maxBytes / 2)}}}`)],
    ['capabilities that are none', () => upstreamListing('', `{"experimental":{"a":[${filled('0,')}0]}}`)],
    ['an error', () => upstreamAnswering('application/json', (id) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":-32603,"message":"","data":[${filled('0,')}0]}}`)],
    ['no JSON at all', () => upstreamAnswering('application/json', () => filled('['))],
  ])('%s', async (_, start) => {
    const url = await start();
    const report = await testServer(serverAt(url), localOnly);
    expect(report.steps.find(({ outcome }) => outcome === 'failed')).toMatchObject({ reason: 'upstream_failed', detail: expect.stringContaining('more than 100000 values') as string });
    await expect(discoverServer(serverAt(url), localOnly)).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('in a stream of events, whatever its comments say', async () => {
    const url = await upstreamAnswering('text/event-stream', (id) => `: "\n: \\\ndata: ${result(id, `"supportedVersions":[${filled('0,')}0]`)}\n\n`);
    await expect(discoverServer(serverAt(url), { ...localOnly, limits: { stepMs: 1_000, totalMs: 5_000 } })).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});

describe('as much as may be listed', () => {
  it('a thousand tools with long descriptions, which nearly repeat a secret', async () => {
    const description = filled(apiKeyValue.slice(0, -1), 5_000);
    const url = await upstreamListing(Array.from({ length: 1_000 }, (_, index) => `{"name":"t${index}","description":"${description}","inputSchema":{"type":"object"}}`).join(','));
    const found = await discoverServer(serverAt(url, apiKey()), localOnly);
    expect([found.tools.length, found.tools[999]?.description, found.truncated]).toEqual([1_000, description, false]);
    expect(await testServer(serverAt(url, apiKey()), localOnly)).toMatchObject({ outcome: 'passed' });
  });

  it('a schema deeper than anyone means is cut, and the rest is there', async () => {
    const url = await upstreamListing(`{"name":"a","inputSchema":{"type":"object","a":${'['.repeat(2_000)}${']'.repeat(2_000)},"b":1}}`);
    const { tools } = await discoverServer(serverAt(url, apiKey()), localOnly);
    expect(tools).toMatchObject([{ name: 'a', inputSchema: { type: 'object', b: 1 } }]);
    expect(JSON.stringify(tools).length).toBeLessThan(500);
  });

  it('pages without end that list nothing', async () => {
    let page = 0;
    const url = await upstreamAnswering('application/json', (id, method) =>
      result(id, method === 'tools/list' ? `"tools":[],"nextCursor":"${(page += 1)}"` : '"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}'));
    expect(await discoverServer(serverAt(url), { ...localOnly, limits: { maxItems: 5 } })).toMatchObject({ tools: [], truncated: true });
    expect(page).toBe(6);
  });
});

describe('what is quoted', () => {
  const mask = secretMask([apiKeyValue]);
  it.each([
    ['the title of a page', `<HTML><Title lang="en">Not here</TITLE><body>x`, 'Not here'],
    ['its text where it has none', '<p>No <b>such</b> page</p>', 'No such page'],
    ['its text where that of the title is not one', '<title>a<b>c</title>', 'a c'],
    ['what is no markup', 'a < b > c < d', 'a c < d'],
    ['a secret in markup', `<p title="${apiKeyValue}">a ${apiKeyValue} b`, 'a [secret] b'],
    ['without control characters', 'a\u0000\n\tb', 'a b'],
  ])('%s', (_, text, quoted) => {
    expect(quote(text, mask)).toBe(` It says: “${quoted}”`);
  });

  it('no half of a secret is left where the text is cut', () => {
    for (let before = 8_150; before <= 8_200; before += 1) {
      for (const filler of [' ', '<b>']) {
        const shown = quote(`${filled(filler, before)}${apiKeyValue}`, mask);
        for (let length = 4; length <= apiKeyValue.length; length += 1) expect(shown).not.toContain(apiKeyValue.slice(0, length));
      }
    }
  });

  it('nothing of nothing', () => {
    expect(quote(' <br> \n', mask)).toBe('');
  });
});
