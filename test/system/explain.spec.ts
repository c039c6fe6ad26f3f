import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findCanaries, makeCanary } from '../support/canary.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { type RunningGatehouse, startUp } from '../support/start-up.ts';

const executable = fileURLToPath(new URL('../../apps/gatehouse/bin/gatehouse.js', import.meta.url));
const canaries = { stored: makeCanary('stored'), token: makeCanary('token'), tenant: makeCanary('tenant'), cookie: makeCanary('cookie') };

let gatehouse: RunningGatehouse;
let upstream: RecordingUpstream;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-explain-'));
  upstream = await startRecordingUpstream();
  gatehouse = await startUp();
  const headerPolicy = { mode: 'mappings', mappings: [{ source: 'X-Tenant', target: 'X-Tenant-Id' }] };
  const server = { type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough' } };
  await gatehouse.addServer({ ...server, name: 'orders', appAuth: { type: 'bearer', token: canaries.stored }, headerPolicy });
  await gatehouse.addServer({ ...server, name: 'open', appAuth: { type: 'passthrough' } });
});
afterAll(async () => {
  await gatehouse?.close();
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

const explain = (...args: string[]): Promise<CommandResult> => runCommand(process.execPath, [executable, 'explain', '--data-dir', gatehouse.dataDir, ...args]);

it('P24 why a header did not arrive, what the upstream sees, and that the token stays', async () => {
  const { exitCode, stdout, stderr } = await explain('orders', '-H', 'x-tenant: acme', '-H', `Authorization: Bearer ${canaries.token}`, '-H', 'X-Other: 1');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ {2}x-tenant +leaves as X-Tenant-Id +It leaves/m);
  expect(stdout).toMatch(/^ {2}Authorization +dropped: credential_not_forwardable /m);
  expect(stdout).toMatch(/^ {2}X-Other +dropped: not_selected /m);
  expect(stdout).toContain(`POST ${upstream.url}`);
  expect(stdout).toMatch(/^ {4}X-Tenant-Id +acme$/m);
  expect(stdout).toMatch(/^ {4}Authorization +Bearer …\w{4} +appAuth bearer$/m);
  expect(stdout).toMatch(/Your token\n {4}Authorization stays at the gateway/);
});

it('a token that leaves is said to, with the place it leaves for', async () => {
  const { stdout } = await explain('open', '-H', `Authorization: Bearer ${canaries.token}`);
  expect(stdout).toMatch(new RegExp(`Your token\\n {4}Authorization leaves the gateway for ${upstream.origin}`));
});

it('the same request, as a curl command and as a HAR file of a browser', async () => {
  const headers = { 'X-Tenant': canaries.tenant, Cookie: `session=${canaries.cookie}`, 'Content-Type': 'application/json' };
  const har = join(folder, 'browser.har');
  const entry = (name: string) => ({ request: { method: 'POST', url: `${gatehouse.dataPlaneUrl}/mcp/default/${name}`, headers: Object.entries(headers).map(([header, value]) => ({ name: header, value })) }, response: {} });
  await writeFile(har, JSON.stringify({ log: { version: '1.2', entries: [entry('orders'), entry('open')] } }));
  const lines = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`);
  const [byHar, byCurl] = await Promise.all([explain('orders', '--har', har, '--json'), explain('orders', '--curl', `curl -X POST ${lines.join(' \\\n  ')}`, '--json')]);
  const verdictsOf = ({ stdout }: CommandResult) => (JSON.parse(stdout) as { verdicts: { name: string; action: string }[] }).verdicts;
  expect(verdictsOf(byHar).slice(0, 3)).toMatchObject([{ name: 'X-Tenant', action: 'renamed' }, { name: 'Cookie', reason: 'blocked' }, { name: 'Content-Type', action: 'dropped' }]);
  expect(verdictsOf(byCurl)).toEqual(verdictsOf(byHar));
});

it('what is wrong with a request is said, and the command fails', async () => {
  const { exitCode, stdout, stderr } = await explain('orders', '--curl', 'curl -d @file');
  expect([exitCode, stdout, stderr]).toEqual([1, '', expect.stringContaining('/curl')]);
});

it('nothing of it was sent, and nothing was written down', async () => {
  expect(upstream.requests).toEqual([]);
  const log = await readFile(join(gatehouse.dataDir, 'gatehouse.log'), 'utf8');
  expect(log).toContain('/explain');
  expect(findCanaries(log, Object.values(canaries))).toEqual([]);
});
