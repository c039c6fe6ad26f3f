import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type AlternatingProxy, startAlternatingProxy } from '../support/alternating-proxy.ts';
import { launchChromium } from '../support/chromium.ts';
import { type DeafLine, startDeafLine } from '../support/deaf-line.ts';
import { type GatehouseProcess, gatehouseCommand } from '../support/gatehouse-process.ts';
import { type GithubLike, type GithubLikeRecord, startGithubLike } from '../support/github-like.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { connectingClients, type InstalledConnectingClient } from '../support/mcp-clients/connecting-clients.ts';
import { Person } from '../support/person.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from '../support/production-shape.ts';

/** How they are called where they work, how at GitHub, and which kind of client they chat with. */
const people = {
  ana: { login: 'ana', github: 'octo-ana', client: connectingClients.legacy, told: 'error -32042' },
  ben: { login: 'ben', github: 'octo-ben', client: connectingClients.modern, told: 'input_required' },
  cleo: { login: 'cleo', github: 'octo-cleo', client: connectingClients.plain, told: 'tool result' },
} as const;
type Name = keyof typeof people;
const names = Object.keys(people) as Name[];
const pullRequests = { 'octo-ana': ['Fix the build', 'Faster tests'], 'octo-ben': ['New logo'], 'octo-cleo': [] };
const examples = fileURLToPath(new URL('../../examples/github-chatbot', import.meta.url));
const tool = 'list_my_pull_requests';
const planeNames = ['one', 'two'] as const;

let browser: Browser;
let issuer: Issuer;
let github: GithubLike;
let shape: ProductionShape;
let line: DeafLine;
/** As the ingress of the control planes, and of the data planes: each request to another one than the one before. */
let controlProxy: AlternatingProxy;
let dataProxy: AlternatingProxy;
let controlPlanes: GatehouseProcess[] = [];
let dataPlanes: DataPlaneProcess[] = [];
const persons = {} as Record<Name, Person>;
const clients = {} as Record<Name, InstalledConnectingClient>;

beforeAll(async () => {
  [controlProxy, dataProxy] = await Promise.all([startAlternatingProxy(), startAlternatingProxy()]);
  const organisation = names.map((name) => ({ subject: name, email: `${name}@corp.example`, emailVerified: true, name }));
  [browser, issuer, github, shape] = await Promise.all([
    launchChromium(),
    startIssuer({ redirectUris: [`${controlProxy.url}/login/callback/corp`], people: organisation }),
    startGithubLike({ redirectUris: [`${controlProxy.url}/connect/callback/default/github`], pullRequests }),
    startProductionShape({ GATEHOUSE_CONTROL_PLANE_URL: controlProxy.url, GATEHOUSE_DATA_PLANE_URL: dataProxy.url, GATEHOUSE_SNAPSHOT_POLL_SECONDS: '3' }),
  ]);
  line = await startDeafLine(shape.redis);
  await startPlanes();
  await applyExample();
  const url = `${dataProxy.url}/mcp/default/github-chatbot`;
  await untilServed();
  for (const name of names) {
    const { login, github: accountThere, client } = people[name];
    const person = await Person.sitDown(browser, { login }, [controlProxy.url, issuer.issuer, github.origin]);
    persons[name] = person;
    clients[name] = await client.install(url, { logIn: (address) => person.open(address), connect: (link) => person.open(link, { login: accountThere }) });
  }
}, 120_000);
afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.remove()));
  await browser?.close();
  await shape?.close();
  await Promise.all([line?.close(), issuer?.close(), github?.close(), controlProxy?.close(), dataProxy?.close()]);
});

async function startPlanes(): Promise<void> {
  const started = await Promise.all(planeNames.map(() => shape.startControlPlane()));
  controlPlanes = started.map(({ process }) => process);
  dataPlanes = await Promise.all(planeNames.map((name, index) => shape.startDataPlane(name, { GATEHOUSE_INTERNAL_URL: started[index]?.internalUrl ?? '', GATEHOUSE_REDIS_URL: line.url })));
  planeNames.forEach((name, index) => {
    controlProxy.targets.set(name, controlPlanes[index]?.controlPlaneUrl ?? '');
    dataProxy.targets.set(name, dataPlanes[index]?.dataPlaneUrl ?? '');
  });
}

/** The example as it is, but for where GitHub is. */
async function applyExample(): Promise<void> {
  const folder = join(shape.folder, 'example');
  await mkdir(folder);
  const { clientId, clientSecret, ...places } = github.app;
  for (const file of (await readdir(examples)).filter((name) => name.endsWith('.yaml'))) {
    const { provider: _provider, ...document } = parse(await readFile(join(examples, file), 'utf8')) as Record<string, unknown>;
    const placed = document['kind'] === 'App' ? { ...document, ...places } : { ...document, upstream: { url: github.url } };
    await writeFile(join(folder, file), stringify(placed));
  }
  const { issuer: address, clientId: id, clientSecret: secret } = issuer;
  await writeFile(join(folder, 'corp.yaml'), stringify({ kind: 'IdentityProvider', name: 'corp', title: 'Corp', issuer: address, clientId: id, clientSecret: secret, scopes: ['profile', 'email'] }));
  const environment = { GATEHOUSE_CONTROL_PLANE_URL: controlProxy.url, GATEHOUSE_TOKEN: shape.environment['GATEHOUSE_ADMIN_TOKEN'] ?? '', GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret };
  const { exitCode, stdout, stderr } = await gatehouseCommand(['apply', '-f', folder], environment);
  expect([exitCode, stderr], stdout).toEqual([0, '']);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A call by a client that opens no URLs, at one data plane, past the ingress. */
async function callAt(plane: DataPlaneProcess, accessToken: string): Promise<Answer> {
  const version = '2026-07-28';
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${accessToken}`, 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': tool };
  const _meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {}, 'io.modelcontextprotocol/clientInfo': { name: 'spec', version: '1' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {}, _meta } });
  const response = await fetch(`${plane.dataPlaneUrl}/mcp/default/github-chatbot`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

async function untilServed(): Promise<void> {
  for (const plane of dataPlanes) while ((await callAt(plane, 'nobody')).status !== 401) await pause(20);
}

const ask = async (name: Name): Promise<unknown> => JSON.parse(await clients[name].callTool(tool));
const everyone = (): Promise<unknown[]> => Promise.all(names.map(ask));
const everyonesOwn = names.map((name) => ({ login: people[name].github, pullRequests: pullRequests[people[name].github] }));
const isOf = ({ text }: Answer, login: string): boolean => text.includes(`\\"login\\":\\"${login}\\"`);
const isToldToConnect = ({ status, text }: Answer): boolean => status === 200 && text.includes(`${controlProxy.url}/connect?link=`) && !text.includes('pullRequests');
/** What people were asked so far. */
const questions = async () => {
  const { logins, consents } = await github.record();
  return { atGithub: [logins, consents], atTheGateway: names.map((name) => [clients[name].logins.length, clients[name].connections.length]) };
};

interface ListedConnection {
  readonly id: string;
  readonly owner: { readonly name: string };
  readonly user: { readonly email: string };
}

async function connectionsOf(name: Name): Promise<ListedConnection[]> {
  const { status, text } = await persons[name].request('GET', `${controlProxy.url}/v1/me/connections`);
  expect(status, text).toBe(200);
  return (JSON.parse(text) as { items: ListedConnection[] }).items;
}

// In this order: each goes on from where the one before left everybody.
describe('P12 example 4: a chatbot that works in GitHub as each user', { timeout: 90_000 }, () => {
  it('each logs in once, is told to connect in the way of their client, does so once, and gets what is their own', async () => {
    expect(await everyone()).toEqual(everyonesOwn);
    for (const name of names) {
      const { logins, connections } = clients[name];
      expect(logins.map(({ pages }) => pages)).toEqual([['Allow this application?', 'Organisation']]);
      expect(connections.map(({ told, visit: { pages } }) => [told, pages])).toEqual([[people[name].told, ['Connect GitHub?', 'Sign in to GitHub-like', 'Authorize Gatehouse']]]);
      expect(connections[0]?.visit.text).toContain('return to your chat');
    }
  });

  it('asks nobody again, and lists the tools of GitHub itself', async () => {
    const before = await questions();
    expect(await everyone()).toEqual(everyonesOwn);
    expect(await clients.ana.listTools()).toEqual([tool]);
    expect(await questions()).toEqual(before);
  });

  it('P13 control planes and data planes are killed and started again: nobody is asked again', async () => {
    const before = await questions();
    await Promise.all([...controlPlanes, ...dataPlanes].map((plane) => plane.kill9()));
    await startPlanes();
    expect(await everyone()).toEqual(everyonesOwn);
    expect(await questions()).toEqual(before);
  });
});

it('P28 tokens end while twenty callers at each data plane use them: each is refreshed once, and nobody notices', { timeout: 60_000 }, async () => {
  const tokens = await Promise.all(names.map((name) => clients[name].accessToken()));
  const before = await github.record();
  await github.endAccessTokens();
  const calls = dataPlanes.flatMap((plane) => Array.from({ length: 20 }, (_, index) => ({ plane, who: index % names.length })));
  const answers = await Promise.all(calls.map(async ({ plane, who }) => isOf(await callAt(plane, tokens[who] ?? ''), people[names[who] as Name].github)));
  expect(answers).toEqual(calls.map(() => true));
  const after = await github.record();
  expect([after.refreshes - before.refreshes, after.revokedFamilies, after.accessTokens]).toEqual([names.length, 0, { 'octo-ana': 1, 'octo-ben': 1, 'octo-cleo': 1 }]);
});

describe('P13 a person disconnects', { timeout: 60_000 }, () => {
  it.each<[string, boolean]>([['', false], [', and the message that says so gets lost', true]])('the next call asks to connect again, at both data planes, and the provider has its tokens back%s', async (_case, isDeaf) => {
    const [anas, bens] = await Promise.all([clients.ana.accessToken(), clients.ben.accessToken()]);
    const before = await github.record();
    for (const plane of dataPlanes) expect(isOf(await callAt(plane, anas), 'octo-ana')).toBe(true);
    const [connection, ...others] = await connectionsOf('ana');
    expect([connection?.owner.name, connection?.user.email, others]).toEqual(['github', 'ana@corp.example', []]);

    // That the provider does not take the token any more must not be what stops it.
    await github.holdRevocations();
    line.setDeaf(isDeaf);
    const lost = line.lost;
    const reply = await persons.ana.request('DELETE', `${controlProxy.url}/v1/me/connections/${connection?.id ?? ''}`);
    const endedAt = performance.now();
    expect(reply.status, reply.text).toBe(204);
    const tookMs = await Promise.all(
      dataPlanes.map(async (plane) => {
        for (;;) {
          const answer = await callAt(plane, anas);
          if (isToldToConnect(answer)) return Math.round(performance.now() - endedAt);
          // Until then it is served as before: nothing in between.
          expect(isOf(answer, 'octo-ana'), answer.text).toBe(true);
          await pause(5);
        }
      }),
    );
    console.info(`disconnected${isDeaf ? ', message lost' : ''}: both data planes asked to connect again after ${tookMs.join(' and ')} ms`);
    line.setDeaf(false);
    expect([line.lost > lost, (await github.record()).accessTokens['octo-ana']]).toEqual([isDeaf, 1]);
    await github.releaseRevocations();

    expect(await connectionsOf('ana')).toEqual([]);
    let after: GithubLikeRecord;
    do after = await github.record();
    while (after.accessTokens['octo-ana'] !== undefined);
    expect([after.revocations > before.revocations, after.accessTokens]).toEqual([true, { 'octo-ben': 1, 'octo-cleo': 1 }]);
    for (const plane of dataPlanes) expect(isOf(await callAt(plane, bens), 'octo-ben')).toBe(true);

    // Who wants to go on connects again, and is asked at GitHub again.
    expect(await ask('ana')).toEqual(everyonesOwn[0]);
    expect(clients.ana.connections.at(-1)?.visit.pages).toEqual(['Connect GitHub?', 'Authorize Gatehouse']);
    expect((await github.record()).consents.length).toBe(before.consents.length + 1);
  });
});
