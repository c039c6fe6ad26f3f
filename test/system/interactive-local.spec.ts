import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { interactivePrograms } from '../support/mcp-clients/interactive-programs.ts';
import { interactiveSdkClients } from '../support/mcp-clients/interactive-sdk-clients.ts';
import type { InstalledClient } from '../support/mcp-clients/interactive-client.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { type Account, Person } from '../support/person.ts';
import { startUp, type RunningGatehouse } from '../support/start-up.ts';

const ana = { login: 'ana@example.com', password: 'correct horse battery' };
const ben = { login: 'ben@example.com', password: 'staple correct horse' };
let gatehouse: RunningGatehouse;
let upstream: SampleUpstream;
let browser: Browser;
let url: string;

const sitDown = (account: Account): Promise<Person> => Person.sitDown(browser, account, [gatehouse.controlPlaneUrl]);

beforeAll(async () => {
  [gatehouse, upstream, browser] = await Promise.all([startUp({ demo: true }), startSampleUpstream(), launchChromium()]);
  const outboundHeaders = ['email', 'name', 'sub'].map((claim) => ({ name: `X-Caller-${claim}`, source: { type: 'caller-identity', claim } }));
  url = (await gatehouse.addServer({ name: 'orders', title: 'Orders', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'interactive' }, outboundHeaders })).mcp;
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([gatehouse?.close(), upstream?.close()]);
});

/** Ana opens a new browser for each client, Ben has the same one for all of them. */
let bensBrowser: Person;

it('the first administrator sets a password by the link that the gateway printed, and makes an account for someone else', async () => {
  const first = await sitDown(ana);
  expect((await first.accept(gatehouse.loginUrl)).origin).toBe(gatehouse.controlPlaneUrl);
  await first.leave();
  const { status, body } = await gatehouse.admin.post<{ loginLink: { url: string } }>('/v1/users', { email: ben.login, name: 'Ben' });
  expect(status).toBe(201);
  bensBrowser = await sitDown(ben);
  await bensBrowser.accept(body.loginLink.url);
});

describe.each([...interactiveSdkClients, ...interactivePrograms])('P8 $name, given nothing but the URL', { timeout: 60_000 }, ({ install }) => {
  const clients = {} as Record<'ana' | 'ben', InstalledClient>;
  let anasBrowser: Person;
  const whoami = async (client: InstalledClient): Promise<Record<string, string>> => JSON.parse(await client.callTool(url, 'whoami', {})) as Record<string, string>;
  const everyonesAnswer = (): Promise<Record<string, string>[]> => Promise.all([whoami(clients.ana), whoami(clients.ben)]);
  const emailsIn = (answers: Record<string, string>[]): unknown[] => answers.map((headers) => headers['x-caller-email']);

  beforeAll(async () => {
    anasBrowser = await sitDown(ana);
    clients.ana = await install((address) => anasBrowser.open(address));
    clients.ben = await install((address) => bensBrowser.open(address));
  });
  afterAll(() => Promise.all([anasBrowser.leave(), clients.ana.remove(), clients.ben.remove()]));

  it('shows its person who asks, then the login, and calls as that person', async () => {
    expect(emailsIn(await everyonesAnswer())).toEqual([ana.login, ben.login]);
    const consent = 'Allow this application?';
    expect([clients.ana, clients.ben].map(({ visits }) => visits.map(({ pages }) => pages))).toEqual([[[consent, 'Log in']], [[consent]]]);
  });

  it('calls again without asking anyone, each as its own person, and sends no token on', async () => {
    const answers = await everyonesAnswer();
    expect(emailsIn(answers)).toEqual([ana.login, ben.login]);
    expect(new Set(answers.map((headers) => headers['x-caller-sub'])).size).toBe(2);
    for (const headers of answers) expect(headers).not.toHaveProperty('authorization');
    expect([clients.ana.visits.length, clients.ben.visits.length]).toEqual([1, 1]);
  });

  it('lists the tools', async () => expect(await clients.ana.listTools(url)).toEqual(['echo', 'whoami', 'slow']));
});
