import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compileDocument, type PlainSnapshotDocument, snapshotKeysOf } from '@gatehouse/gateway-config';
import { createLogger, readSettings } from '@gatehouse/service-runtime';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { DataPlane, dataPlaneSettings } from './data-plane-parts.ts';
import { fixtureSecrets } from './pipeline-fixture.ts';
import { printTable, printTarget } from './print-table.ts';
import { headerPolicyDocument, workspaceDocument } from './publish-configuration.ts';
import { sampleCall } from './sample-call.ts';
import { median } from './statistics.ts';

/* A virtual server of ten members with sockets: its list beside that of its slowest member, a call beside the same call of the member. */

const quick = process.argv.includes('--quick');
const rounds = quick ? 60 : 300;
const warmUp = 20;
const memberCount = 10;
const slowestMs = 50;
const listTarget = 1.3;
const callTarget = 1.2;
const version = '2026-07-28';

const tools = Array.from({ length: 20 }, (_, index) => ({ name: index === 0 ? 'search_orders' : `tool_${index}`, description: 'A tool of some kind, with a sentence that says what it does', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } }));

/** Answers lists after so long, and calls at once. */
function startMember(delayMs: number): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => void answer(Buffer.concat(chunks).toString(), delayMs).then((body) => response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)));
  });
  return new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function answer(body: string, delayMs: number): Promise<string> {
  const { id, method } = JSON.parse(body) as { id: number; method: string };
  if (method !== 'tools/list') return sampleCall.answer;
  await pause(delayMs);
  return JSON.stringify({ jsonrpc: '2.0', id, result: { tools, resultType: 'complete', ttlMs: 0, cacheScope: 'private' } });
}

const envelope = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} };

async function send(url: string, method: string, params: object, name?: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': version, 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1042, method, params: { ...params, _meta: envelope } }),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes('"result"')) throw new Error(`${method}: ${response.status} ${text.slice(0, 200)}`);
}

/** Milliseconds, of rounds that take turns: whatever slows the machine down slows them all. */
async function time(asked: Readonly<Record<string, () => Promise<void>>>): Promise<Map<string, number>> {
  const times = new Map(Object.keys(asked).map((name) => [name, [] as number[]]));
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (const [name, ask] of Object.entries(asked)) {
      const startedAt = performance.now();
      await ask();
      if (round >= warmUp) times.get(name)?.push(performance.now() - startedAt);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

const serverOf = (server: Extract<PlainSnapshotDocument, { kind: 'server' }>['server']): PlainSnapshotDocument => ({ kind: 'server', id: server.name, workspace: 'default', server });

const members = await Promise.all(Array.from({ length: memberCount }, (_, index) => startMember((slowestMs * (index + 1)) / memberCount)));
const names = members.map((_, index) => `m${index}`);
const keys = snapshotKeysOf([fixtureSecrets.snapshotKey]);
const agentAuth = { type: 'passthrough' } as const;
const documents = [
  headerPolicyDocument,
  workspaceDocument,
  ...members.map((member, index) => serverOf({ name: `m${index}`, type: 'mcp', upstream: { url: `http://127.0.0.1:${(member.address() as AddressInfo).port}/mcp` }, agentAuth, appAuth: { type: 'none' } })),
  serverOf({ name: 'all', type: 'virtual', agentAuth, members: names.map((server) => ({ server, prefix: `${server}_` })) }),
];
const channel = createMemoryChannel();
await channel.publish({ expected: undefined, revision: 1, mode: 'change', documents: documents.map((document) => compileDocument(keys, document)), removed: [] });
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
const settings = readSettings(dataPlaneSettings, {
  GATEHOUSE_SNAPSHOT_KEY: fixtureSecrets.snapshotKey.toString('base64'), GATEHOUSE_SNAPSHOT_DIR: folder, GATEHOUSE_DATA_PLANE_HOST: '127.0.0.1', GATEHOUSE_DATA_PLANE_PORT: '0', GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
});
const dataPlane = new DataPlane(settings, channel, createLogger({ level: 'silent', role: 'bench', destination: { write: () => undefined } }), undefined);
const url = await dataPlane.start();
const at = (name: string): string => `${url}/mcp/default/${name}`;
const last = `m${memberCount - 1}`;
const call = { arguments: (JSON.parse(sampleCall.body) as { params: { arguments: object } }).params.arguments };

const lists = await time({
  [`list of the slowest member (${slowestMs} ms)`]: () => send(at(last), 'tools/list', {}),
  [`list of all ${memberCount}`]: () => send(at('all'), 'tools/list', {}),
});
const calls = await time({
  'call of a member': () => send(at(last), 'tools/call', { name: 'search_orders', ...call }, 'search_orders'),
  'the same call by the virtual server': () => send(at('all'), 'tools/call', { name: `${last}_search_orders`, ...call }, `${last}_search_orders`),
});
printTable('A virtual server, with sockets', ['one at a time', 'median ms'], [...lists, ...calls].map(([name, ms]) => [name, ms.toFixed(2)]));
const [slowest = 0, list = 0, single = 0, routed = 0] = [...lists.values(), ...calls.values()];
console.log();
printTarget('a list of ten members, beside its slowest', list / slowest, listTarget, '×');
printTarget('a call by a virtual server, beside the member’s', routed / single, callTarget, '×');
await dataPlane.stop();
await rm(folder, { recursive: true, force: true });
for (const member of members) member.close();
