import { describe, expect, it } from 'vitest';
import { clientNames } from './client-names.ts';
import { mcpClients } from './connect.ts';
import { configurationOf, mergeConfiguration } from './merge-configuration.ts';

const demo = { name: 'demo', url: 'http://127.0.0.1:3001/mcp/default/demo', needsKey: false };
const orders = { name: 'orders', url: 'http://127.0.0.1:3001/mcp/default/orders', needsKey: true };
const { claude, vscode } = mcpClients;

describe.each(clientNames)('%s', (name) => {
  const client = mcpClients[name];

  it('gets a configuration that names the server’s URL, and no key', () => {
    const text = JSON.stringify(configurationOf(client, [demo, orders]));
    expect(text).toContain(demo.url);
    expect(text).toContain('X-Gatehouse-Key');
  });

  it('is unchanged by what it has already', () => {
    const once = mergeConfiguration(client, undefined, [demo, orders]);
    expect(mergeConfiguration(client, once, [demo, orders])).toBeUndefined();
  });

  it('keeps everything else', () => {
    const others = { [client.field]: { other: { command: 'other' } }, unrelated: [1, { a: null }] };
    const merged = JSON.parse(mergeConfiguration(client, JSON.stringify(others), [demo]) ?? '') as Record<string, Record<string, unknown>>;
    expect(merged).toMatchObject(others);
    expect(Object.keys(merged[client.field] ?? {})).toEqual(['other', 'demo']);
  });
});

it('moves an entry of the same server to its new address, and keeps what was added to it', () => {
  const text = mergeConfiguration(claude, '{"mcpServers": {"demo": {"type": "http", "url": "http://127.0.0.1:9/mcp/default/demo", "alwaysAllow": ["add"]}}}', [demo]);
  expect(JSON.parse(text ?? '')).toEqual({ mcpServers: { demo: { type: 'http', url: demo.url, alwaysAllow: ['add'] } } });
});

it('leaves another server of the same name alone', () => {
  expect(() => mergeConfiguration(claude, '{"mcpServers": {"demo": {"command": "mine"}}}', [demo])).toThrow('another server named "demo"');
});

it.each(['{ // mine\n "mcpServers": {} }', '[1]', '{"mcpServers": {}} x'])('leaves %j alone', (text) => {
  expect(() => mergeConfiguration(claude, text, [demo])).toThrow('not plain JSON');
});

it('keeps the indentation of the file', () => {
  expect(mergeConfiguration(claude, '{\n\t"a": 1\n}\n', [demo])).toContain('\n\t"mcpServers": {\n\t\t"demo"');
});

it('adds to a list of inputs, once', () => {
  const mine = { id: 'mine', type: 'promptString' };
  const text = mergeConfiguration(vscode, JSON.stringify({ inputs: [mine] }), [orders]);
  expect(JSON.parse(text ?? '')).toMatchObject({ inputs: [mine, { id: 'gatehouse-key', password: true }] });
});
