import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatehouse, gatehouseUp, type RunningUp } from '../spec-gatehouse.ts';

const documents = (title: string) => `
kind: Workspace
name: sales
---
kind: Server
workspace: sales
name: orders
title: ${title}
type: mcp
upstream: { url: https://orders.example/mcp }
agentAuth: { type: api-key }
appAuth: { type: bearer, token: { fromEnv: ORDERS_TOKEN } }
limits:
  rates: [{ per: caller, calls: 60, seconds: 60 }, { per: tool, tools: ['delete_*'], calls: 5, seconds: 60, shared: true }]
  concurrentCalls: { server: 100 }
---
kind: ServiceAccount
workspace: sales
name: ci
groups: [jobs]
`;

let folder: string;
let up: RunningUp;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-apply-'));
  up = await gatehouseUp(join(folder, '.gatehouse'));
});
afterAll(async () => {
  await up.stop();
  await rm(folder, { recursive: true });
});
const run = (args: readonly string[], input?: string) => gatehouse(args, { cwd: folder, env: { ORDERS_TOKEN: 'canary-token' }, ...(input !== undefined && { input }) });
const apply = (input: string, ...flags: readonly string[]) => run(['apply', '-f', '-', ...flags], input);

it('P33 changes nothing in a dry run, creates, and is unchanged the second time', async () => {
  expect((await apply(documents('Orders'), '--dry-run')).stdout).toBe('Workspace sales would be created\nServiceAccount sales/ci would be created\nServer sales/orders would be created\n');

  const created = await apply(documents('Orders'));
  expect(created).toMatchObject({ exitCode: 0, stderr: '' });
  expect(created.stdout).toMatch(/^Workspace sales created\nServiceAccount sales\/ci created\n {2}its key, shown only now: gatehouse_\w{16}_[\w-]{43}\nServer sales\/orders created\n/);

  expect((await apply(documents('Orders'))).stdout).toContain('Server sales/orders unchanged, but its secrets were set again');
  const again = await apply(documents('Orders').replace('{ fromEnv: ORDERS_TOKEN }', '{ set: true }'));
  expect(again.stdout).toBe('Workspace sales unchanged\nServiceAccount sales/ci unchanged\nServer sales/orders unchanged\n');
});

it('P33 shows differences field by field, secrets never, and changes what differs', async () => {
  const changed = documents('Our orders');
  expect(await run(['diff', '-f', '-'], changed)).toEqual({
    exitCode: 1,
    stderr: '',
    stdout: 'Server sales/orders\n  ~ /title  "Orders" → "Our orders"\n  = /appAuth/token  secret, set already (cannot be compared)\n',
  });
  expect((await apply(changed)).stdout).toContain('Server sales/orders changed');
  expect(await run(['diff', '-f', '-'], changed)).toMatchObject({ exitCode: 0 });
});

it('P33 shows a difference deep inside of a document', async () => {
  const changed = documents('Our orders').replace('calls: 60', 'calls: 70');
  expect((await run(['diff', '-f', '-'], changed)).stdout).toContain('  ~ /limits/rates/0/calls  60 → 70\n');
});

it('P33 exports what can be applied again', async () => {
  const exported = await run(['export']);
  expect(exported.stdout).toContain('token: {set: true}');
  expect(exported.stdout).not.toContain('canary');
  await writeFile(join(folder, 'export.yaml'), exported.stdout);
  expect((await run(['apply', '-f', 'export.yaml'])).stdout).toBe('Workspace sales unchanged\nServiceAccount sales/ci unchanged\nServer sales/orders unchanged\n');
  expect(await run(['diff', '-f', 'export.yaml'])).toMatchObject({ exitCode: 0, stdout: '' });
});

it('P33 changes who belongs to a workspace, and exports it', async () => {
  const closed = 'kind: Workspace\nname: sales\naccess: { allow: [{ group: sales, identityProvider: corp }] }\n';
  expect((await apply(closed)).stdout).toBe('Workspace sales changed\n  warning: /access/allow/0/identityProvider This lets nobody in: people do not log in there.\n');
  expect((await apply(closed)).stdout).toContain('Workspace sales unchanged');
  expect((await run(['export'])).stdout).toContain('identityProvider: corp');
  expect((await apply('kind: Workspace\nname: sales\n')).stdout).toContain('Workspace sales changed');
});

it('P33 applies, compares and exports the header policy, which always can be read', async () => {
  const policy = "kind: HeaderPolicy\nmode: list\nlist: [X-Tenant]\nrestricted: ['x-internal-*']\n";
  expect((await run(['export'])).stdout).not.toContain('HeaderPolicy');
  expect(await run(['diff', '-f', '-'], policy)).toMatchObject({ exitCode: 1, stdout: '+ HeaderPolicy  would be created\n' });
  expect((await apply(policy, '--dry-run')).stdout).toBe('HeaderPolicy would be created\n');
  expect((await apply(policy)).stdout).toBe('HeaderPolicy created\n');
  expect((await apply(policy)).stdout).toBe('HeaderPolicy unchanged\n');

  const changed = policy.replace('X-Tenant', 'Authorization');
  expect(await run(['diff', '-f', '-'], changed)).toMatchObject({ exitCode: 1, stdout: 'HeaderPolicy\n  ~ /list/0  "X-Tenant" → "Authorization"\n' });
  expect((await apply(changed)).stdout).toMatch(/^HeaderPolicy changed\n {2}warning: \/list\/0 /);

  const exported = (await run(['export'])).stdout;
  expect(exported).toMatch(/^kind: HeaderPolicy\nmode: list\nlist:\n {2}- Authorization\n/);
  expect(exported).not.toMatch(/effective|warnings|revision/);
  expect((await apply(exported)).stdout).toMatch(/^HeaderPolicy unchanged\n/);
  expect((await run(['export', '--workspace', 'sales'])).stdout).not.toContain('HeaderPolicy');
});

it('reports what the gateway refuses, with pointers, and what was not applied', async () => {
  const source = `${documents('Orders').replace('{ fromEnv: ORDERS_TOKEN }', '{ set: true }').replaceAll('sales', 'empty')}---\nkind: Server\nworkspace: empty\nname: later\ntype: mcp\nupstream: {url: https://x.example}\nagentAuth: {type: passthrough}\n`;
  const { exitCode, stderr } = await apply(source);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/-\s+Server empty\/orders: /);
  expect(stderr).toMatch(/\n {2}\/appAuth\/token .*is required\n/);
  expect(stderr).toContain('Not applied: Server empty/later');
});

it('changes nothing when one document of several is wrong', async () => {
  const { exitCode, stderr } = await apply(`${documents('Never')}---\nkind: Server\nname: x\n`);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('nothing was changed');
  expect((await run(['export', '--workspace', 'sales'])).stdout).not.toContain('Never');
});

it('tells an error from a difference by its exit code', async () => {
  expect(await run(['diff', '-f', 'nothing.yaml'])).toMatchObject({ exitCode: 2 });
  expect(await gatehouse(['diff', '-f', '-'], { cwd: tmpdir(), input: documents('x'), env: { ORDERS_TOKEN: 'x' } })).toMatchObject({ exitCode: 2 });
});

it('P33 an identity provider is applied, compared and exported as any other document', async () => {
  const provider = (title: string, secret = '{ fromEnv: ORDERS_TOKEN }') => `
kind: IdentityProvider
name: corp
title: ${title}
# Nothing answers there, which is a warning.
issuer: http://127.0.0.1:9
clientId: gatehouse
clientSecret: ${secret}
roles: { admin: [platform] }
`;
  const created = await apply(provider('Corp'));
  expect(created.stdout).toMatch(/^IdentityProvider corp created\n {2}warning: \/issuer /);
  expect((await apply(provider('Corp', '{ set: true }'))).stdout).toBe('IdentityProvider corp unchanged\n');
  expect((await run(['diff', '-f', '-'], provider('Company'))).stdout).toBe('IdentityProvider corp\n  ~ /title  "Corp" → "Company"\n  = /clientSecret  secret, set already (cannot be compared)\n');
  const { stdout } = await run(['export']);
  expect(stdout).toContain('kind: IdentityProvider\nname: corp\ntitle: Corp\n');
  expect(stdout).not.toContain('canary-token');
  expect(stdout).not.toContain('redirectUri');
  expect((await apply(stdout.split('---\n').find((text) => text.includes('IdentityProvider')) ?? '')).stdout).toBe('IdentityProvider corp unchanged\n');
  const misplaced = await apply(`${provider('Corp')}workspace: sales\n`);
  expect(misplaced).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('/workspace  is not a known field') as string });
});

it('P33 an app is applied, compared and exported as any other document', async () => {
  const app = (title: string, secret = '{ fromEnv: ORDERS_TOKEN }') => `
kind: App
workspace: sales
name: tracker
title: ${title}
provider: keycloak
variables: { base: https://sso.corp.example, realm: corp }
clientId: gatehouse
clientSecret: ${secret}
scopes: [openid]
`;
  expect((await apply(app('Tracker'), '--dry-run')).stdout).toBe('App sales/tracker would be created\n');
  expect((await apply(app('Tracker'))).stdout).toBe('App sales/tracker created\n');
  expect((await apply(app('Tracker', '{ set: true }'))).stdout).toBe('App sales/tracker unchanged\n');
  expect((await run(['diff', '-f', '-'], app('Issues'))).stdout).toBe('App sales/tracker\n  ~ /title  "Tracker" → "Issues"\n  = /clientSecret  secret, set already (cannot be compared)\n');
  const { stdout } = await run(['export', '--workspace', 'sales']);
  const exported = stdout.split('---\n').find((text) => text.includes('kind: App')) ?? '';
  expect(exported).toContain('kind: App\nworkspace: sales\nname: tracker\ntitle: Tracker\nprovider: keycloak\n');
  expect(exported).not.toMatch(/canary-token|redirectUri/);
  expect((await apply(exported)).stdout).toBe('App sales/tracker unchanged\n');
  const unknown = await apply(app('Tracker').replace('keycloak', 'nonsense'));
  expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/\/provider .*\/v1\/catalog/) as string });
});

it('P33 a credential is applied, compared and exported as any other document', async () => {
  const credentials = (title: string, value = '{ fromEnv: ORDERS_TOKEN }') => `
kind: Credential
workspace: sales
name: search-key
title: ${title}
scope: workspace
value: ${value}
---
kind: Credential
workspace: sales
name: tracker-token
description: Profile → API tokens
scope: user
`;
  expect((await apply(credentials('Search'), '--dry-run')).stdout).toBe('Credential sales/search-key would be created\nCredential sales/tracker-token would be created\n');
  expect((await apply(credentials('Search'))).stdout).toBe('Credential sales/search-key created\nCredential sales/tracker-token created\n');
  expect((await apply(credentials('Search', '{ set: true }'))).stdout).toBe('Credential sales/search-key unchanged\nCredential sales/tracker-token unchanged\n');
  expect((await run(['diff', '-f', '-'], credentials('Find'))).stdout).toBe('Credential sales/search-key\n  ~ /title  "Search" → "Find"\n  = /value  secret, set already (cannot be compared)\n');
  const { stdout } = await run(['export', '--workspace', 'sales']);
  const exported = stdout.split('---\n').filter((text) => text.includes('kind: Credential'));
  expect(exported.join('---\n')).not.toContain('canary-token');
  expect(exported[1]).toBe('kind: Credential\nworkspace: sales\nname: tracker-token\ndescription: Profile → API tokens\nscope: user\n');
  expect((await apply(exported.join('---\n'))).stdout).toBe('Credential sales/search-key unchanged\nCredential sales/tracker-token unchanged\n');
  const misplaced = await apply(credentials('Search').replace('scope: user', 'scope: user\nvalue: x'));
  expect(misplaced).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/tracker-token {2}\/value /) as string });
});
