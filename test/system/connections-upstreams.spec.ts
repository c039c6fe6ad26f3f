import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { gatehouseCommand } from '../support/gatehouse-process.ts';
import { type GithubLike, startGithubLike } from '../support/github-like.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { connectingClients, type InstalledConnectingClient } from '../support/mcp-clients/connecting-clients.ts';
import type { InteractiveClient } from '../support/mcp-clients/interactive-client.ts';
import { interactivePrograms } from '../support/mcp-clients/interactive-programs.ts';
import { Person } from '../support/person.ts';
import { type ProtectedMcpServer, startProtectedMcpServer } from '../support/protected-mcp-server.ts';
import { type RunningGatehouse, startUp } from '../support/start-up.ts';

const tool = 'list_my_pull_requests';
const pullRequests = { 'octo-corp': ['Quarterly report'], 'octo-ana': ['Fix the build'], 'octo-ben': ['New logo'] };
const organisation = ['ana', 'ben', 'cleo'].map((subject) => ({ subject, email: `${subject}@corp.example`, emailVerified: true, name: subject }));

let gatehouse: RunningGatehouse;
let issuer: Issuer;
let github: GithubLike;
let upstream: ProtectedMcpServer;
let browser: Browser;
let key: string;
const leaving: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [gatehouse, upstream, browser] = await Promise.all([startUp(), startProtectedMcpServer(), launchChromium()]);
  [issuer, github] = await Promise.all([
    startIssuer({ redirectUris: [`${gatehouse.controlPlaneUrl}/login/callback/corp`], people: organisation }),
    startGithubLike({ redirectUris: [`${gatehouse.controlPlaneUrl}/connect/callback/default/github`], pullRequests }),
  ]);
  const { issuer: address, clientId, clientSecret } = issuer;
  const documents = [
    { kind: 'IdentityProvider', name: 'corp', title: 'Corp', issuer: address, clientId, clientSecret, scopes: ['profile', 'email'] },
    { kind: 'App', name: 'github', title: 'GitHub', ...github.app, scopes: ['repo'] },
    { kind: 'ServiceAccount', name: 'nightly' },
  ];
  const file = join(gatehouse.dataDir, 'documents.yaml');
  await writeFile(file, documents.map((document) => stringify(document)).join('---\n'));
  const applied = await command('apply', '-f', file);
  key = /gatehouse_[0-9a-f]{16}_[\w-]{43}/.exec(applied.stdout)?.[0] ?? '';
  expect([applied.exitCode, applied.stderr, key]).toEqual([0, '', expect.stringMatching(/./)]);
}, 120_000);
afterAll(async () => {
  await Promise.all(leaving.map((leave) => leave()));
  await browser?.close();
  await Promise.all([gatehouse?.close(), upstream?.close(), issuer?.close(), github?.close()]);
});

const command = (...args: string[]) => gatehouseCommand([...args, '--data-dir', gatehouse.dataDir]);
const callAsNightly = (server: string, ...args: string[]) => command('call', server, ...args, '--key', key);

async function sitDown(login: string, password?: string): Promise<Person> {
  const person = await Person.sitDown(browser, { login, ...(password !== undefined && { password }) }, [gatehouse.controlPlaneUrl, issuer.issuer, github.origin, upstream.origin]);
  leaving.push(() => person.leave());
  return person;
}

describe('P26 an OAuth-protected MCP server connects with nothing but its URL', { timeout: 60_000 }, () => {
  const clients = {} as Record<'ana' | 'ben', InstalledConnectingClient>;
  const whoami = (): Promise<string[]> => Promise.all([clients.ana.callTool('whoami'), clients.ben.callTool('whoami')]);
  const asked = () => [clients.ana, clients.ben].map(({ logins, connections }) => [logins.length, connections.length]);

  it('people connect in a browser, whichever way their client is told, and each has an account of their own there', async () => {
    const { mcp } = await gatehouse.addServer({ name: 'protected', title: 'Protected', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'interactive', identityProvider: 'corp' }, appAuth: { type: 'oauth-authorization-code', discover: true } });
    for (const [name, client] of [['ana', connectingClients.legacy], ['ben', connectingClients.plainLegacy]] as const) {
      const person = await sitDown(name);
      clients[name] = await client.install(mcp, { logIn: (url) => person.open(url), connect: (link) => person.open(link, { login: `${name}-upstream` }) });
      leaving.push(clients[name].remove);
    }
    // One after the other: of two that are the first at the same moment both register, and one registration is kept.
    expect([await clients.ana.callTool('whoami'), await clients.ben.callTool('whoami')]).toEqual(['ana-upstream', 'ben-upstream']);
    expect(clients.ana.connections.map(({ visit: { pages } }) => pages)).toEqual([['Connect Protected?', 'Upstream']]);
    expect(await upstream.count()).toEqual({ clients: 1, accessTokens: 2, refreshTokens: 2 });
  });

  it('one that has lost everything asks to connect again, and takes the gateway for a new client', async () => {
    await upstream.forget();
    expect([await clients.ana.callTool('whoami'), await clients.ben.callTool('whoami')]).toEqual(['ana-upstream', 'ben-upstream']);
    expect(asked()).toEqual([[1, 2], [1, 2]]);
    expect((await upstream.count()).clients).toBe(1);
  });

  it('tokens that it does not take any more are refreshed, and nobody is asked', async () => {
    const before = asked();
    await upstream.forgetAccessTokens();
    expect(await whoami()).toEqual(['ana-upstream', 'ben-upstream']);
    expect(asked()).toEqual(before);
    expect(await upstream.count()).toEqual({ clients: 1, accessTokens: 2, refreshTokens: 2 });
  });
});

describe('P26 clients of the newest revision, at an upstream that does not know it', { timeout: 60_000 }, () => {
  it('find that out with whoever is connected; then others settle on what lasts, before they connect', async () => {
    const mcp = `${gatehouse.dataPlaneUrl}/mcp/default/protected`;
    for (const name of ['ana', 'cleo']) {
      const person = await sitDown(name);
      const client = await connectingClients.plain.install(mcp, { logIn: (url) => person.open(url), connect: (link) => person.open(link, { login: `${name}-upstream` }) });
      leaving.push(client.remove);
      expect(await client.callTool('whoami')).toBe(`${name}-upstream`);
      expect(client.connections.length).toBe(name === 'ana' ? 0 : 1);
    }
  });
});

describe('P12 example 1: an app from the client that is there, mcp-remote, each under their own account', { timeout: 60_000 }, () => {
  it('the model finds one tool, which says how to connect; then those of the app', async () => {
    const appAuth = { type: 'oauth-authorization-code', app: 'github' };
    const { mcp } = await gatehouse.addServer({ name: 'mail', title: 'Mail', type: 'mcp', upstream: { url: github.url }, agentAuth: { type: 'interactive', identityProvider: 'corp' }, appAuth });
    const [remote] = interactivePrograms.filter(({ name }) => name === 'mcp-remote');
    for (const login of ['ana', 'ben'] as const) {
      const person = await sitDown(login);
      const client = await (remote as InteractiveClient).install((url) => person.open(url));
      leaving.push(client.remove);
      expect(await client.listTools(mcp)).toEqual(['connect_account']);
      const link = /https?:\/\/\S+\/connect\?\S+/.exec(await client.callTool(mcp, 'connect_account', {}))?.[0] ?? '';
      expect((await person.open(link, { login: `octo-${login}` })).text).toContain('return to your chat');
      expect(await client.listTools(mcp)).toEqual([tool]);
      expect(await client.callTool(mcp, tool, {})).toContain(pullRequests[`octo-${login}`][0]);
      expect(client.visits.length).toBe(1);
    }
  });
});

describe('P10 app authentication by OAuth, from the command line to the upstream', { timeout: 60_000 }, () => {
  it('authorization code, of the organisation: an administrator connects once, and every caller works with that account', async () => {
    await gatehouse.addServer({ name: 'reports', title: 'Reports', type: 'mcp', upstream: { url: github.url }, agentAuth: { type: 'api-key' }, appAuth: { type: 'oauth-authorization-code', app: 'github', shared: true } });
    const told = await callAsNightly('reports', tool);
    const link = /https?:\/\/\S+\/connect\?\S+/.exec(told.stdout)?.[0] ?? '';
    expect([told.exitCode, link, told.stdout], told.stderr).toEqual([1, expect.stringContaining(gatehouse.controlPlaneUrl), expect.stringContaining('administrator')]);
    const administrator = await sitDown('root@corp.example', 'correct horse battery');
    await administrator.accept(gatehouse.loginUrl);
    const { pages, text } = await administrator.open(link, { login: 'octo-corp' });
    expect([pages, text]).toEqual([['Connect GitHub?', 'Sign in to GitHub-like', 'Authorize Gatehouse'], expect.stringContaining('return to your chat')]);
    const { exitCode, stdout, stderr } = await callAsNightly('reports', tool);
    expect([exitCode, stderr, stdout]).toEqual([0, '', expect.stringContaining('Quarterly report')]);
  });

  it.each(['secret', 'signature'] as const)('client credentials, by %s: one token for all calls', async (by) => {
    const client = by === 'secret' ? github.service : { ...github.signer, clientAuth: 'private-key-jwt' };
    await gatehouse.addServer({ name: `service-${by}`, type: 'mcp', upstream: { url: github.url }, agentAuth: { type: 'api-key' }, appAuth: { type: 'oauth-client-credentials', tokenUrl: github.tokenUrl, ...client, scopes: ['repo'] } });
    const before = (await github.record()).clientCredentials;
    const answers = await Promise.all([1, 2, 3].map(() => callAsNightly(`service-${by}`, tool)));
    for (const { exitCode, stdout, stderr } of answers) expect([exitCode, stderr, stdout]).toEqual([0, '', expect.stringContaining(client.clientId)]);
    expect((await github.record()).clientCredentials).toBe(before + 1);
  });

  it('client credentials that the provider does not take: the caller is told that the administrator has to look, and no more', async () => {
    await gatehouse.addServer({ name: 'wrong', type: 'mcp', upstream: { url: github.url }, agentAuth: { type: 'api-key' }, appAuth: { type: 'oauth-client-credentials', tokenUrl: github.tokenUrl, clientId: github.service.clientId, clientSecret: 'another-secret-0123456789' } });
    const { exitCode, stderr } = await callAsNightly('wrong', tool);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('credential_unavailable')]);
    expect(stderr).not.toContain('another-secret');
  });
});
