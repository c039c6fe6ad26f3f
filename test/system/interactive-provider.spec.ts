import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { gatehouseCommand } from '../support/gatehouse-process.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import type { InstalledClient } from '../support/mcp-clients/interactive-client.ts';
import { interactivePrograms } from '../support/mcp-clients/interactive-programs.ts';
import { interactiveSdkClients } from '../support/mcp-clients/interactive-sdk-clients.ts';
import { startSampleUpstream, type SampleUpstream } from '../support/mcp-sample-upstream.ts';
import { Person } from '../support/person.ts';
import { startUp, type RunningGatehouse } from '../support/start-up.ts';

const people = {
  ana: { subject: 'ana', email: 'ana@corp.example', emailVerified: true, name: 'Ana', groups: ['sales', 'leads'] },
  dora: { subject: 'dora', email: 'dora@corp.example', emailVerified: true, name: 'Dora', groups: ['sales'] },
  ben: { subject: 'ben', email: 'ben@corp.example', emailVerified: true, name: 'Ben', groups: ['support'] },
};
const consent = 'Allow this application?';
/** The heading of the provider's own page. */
const login = 'Organisation';

let gatehouse: RunningGatehouse;
let upstream: SampleUpstream;
let issuer: Issuer;
let browser: Browser;
let url: string;
const leaving: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [gatehouse, upstream, browser] = await Promise.all([startUp(), startSampleUpstream(), launchChromium()]);
  issuer = await startIssuer({ redirectUris: [`${gatehouse.controlPlaneUrl}/login/callback/corp`], people: Object.values(people) });
  const { issuer: address, clientId, clientSecret } = issuer;
  const document = join(gatehouse.dataDir, 'corp.yaml');
  await writeFile(document, stringify({ kind: 'IdentityProvider', name: 'corp', title: 'Corp', issuer: address, clientId, clientSecret, scopes: ['profile', 'email', 'groups'] }));
  const applied = await gatehouseCommand(['apply', '-f', document, '--data-dir', gatehouse.dataDir]);
  if (applied.exitCode !== 0) throw new Error(applied.stderr);
  const server = {
    name: 'orders', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'interactive', identityProvider: 'corp' },
    access: { allow: [{ group: 'sales' }], tools: { allow: ['who*', 'delete_*'], deny: ['delete_*'] } },
    outboundHeaders: [{ name: 'X-Caller', source: { type: 'caller-identity', claim: 'email' } }],
  };
  url = (await gatehouse.addServer(server)).mcp;
});
afterAll(async () => {
  await Promise.all(leaving.map((leave) => leave()));
  await browser?.close();
  await Promise.all([gatehouse?.close(), upstream?.close(), issuer?.close()]);
});

// Which revision they speak makes no difference to a login: each program in one.
const programs = [...interactiveSdkClients, ...interactivePrograms].filter(({ name }) => !/legacy|modern/.test(name));

type Name = keyof typeof people;

/** A person with a new browser. */
async function sitDown(name: Name): Promise<Person> {
  const person = await Person.sitDown(browser, { login: name }, [gatehouse.controlPlaneUrl, issuer.issuer]);
  leaving.push(() => person.leave());
  return person;
}

/** A client on that person's machine. */
async function installFor(person: Person, { install } = interactiveSdkClients.at(-1) as (typeof interactiveSdkClients)[number]): Promise<InstalledClient> {
  const client = await install((address) => person.open(address));
  leaving.push(client.remove);
  return client;
}

const callerSeenBy = async (client: InstalledClient): Promise<unknown> => (JSON.parse(await client.callTool(url, 'whoami', {})) as Record<string, unknown>)['x-caller'];
const pagesOf = (client: InstalledClient): (readonly string[])[] => client.visits.map(({ pages }) => pages);
const failureOf = (call: Promise<unknown>): Promise<unknown> => call.then(() => 'no failure', (error: unknown) => error);

describe.each(programs)('P8 $name, with the login of the organisation', { timeout: 60_000 }, (program) => {
  let anas: InstalledClient;

  it('calls as whoever logged in: two people, two answers', async () => {
    const [ana, dora] = await Promise.all([sitDown('ana'), sitDown('dora')]);
    const doras = await installFor(dora, program);
    anas = await installFor(ana, program);
    expect(await Promise.all([callerSeenBy(anas), callerSeenBy(doras)])).toEqual([people.ana.email, people.dora.email]);
    for (const client of [anas, doras]) expect(pagesOf(client)).toEqual([[consent, login]]);
  });

  it('P32 lists only tools that may be called, and another one is as unknown as one that does not exist', async () => {
    expect(await anas.listTools(url)).toEqual(['whoami']);
    const [refused, unknown] = await Promise.all(['echo', 'ohce'].map((tool) => failureOf(anas.callTool(url, tool, {}))));
    expect(reasonOf(refused)).toContain('echo');
    expect(reasonOf(refused)).toBe(reasonOf(unknown).replaceAll('ohce', 'echo'));
  });
});

/** What a program was told, without what it said before. */
const reasonOf = (failure: unknown): string => String(failure instanceof Error ? (failure.cause ?? failure) : failure);

describe('groups decide who may', () => {
  it('who is in none of them is told so by the page, and the client that nobody allowed it', async () => {
    const client = await installFor(await sitDown('ben'));
    expect(await failureOf(callerSeenBy(client))).toMatchObject({ name: 'LoginRefused', message: 'access_denied' });
    expect(pagesOf(client)).toEqual([[consent, login, 'You have no access']]);
  });

  it('P32 a rule counts with the next call: who is no longer in it is refused, others go on, nobody logs in again', async () => {
    const [anas, doras] = [await installFor(await sitDown('ana')), await installFor(await sitDown('dora'))];
    expect([await callerSeenBy(anas), await callerSeenBy(doras)]).toEqual([people.ana.email, people.dora.email]);
    const path = '/v1/workspaces/default/servers/orders';
    const allow = async (group: string): Promise<void> => {
      const { headers } = await gatehouse.admin.get(path);
      const { status } = await gatehouse.admin.patch(path, { access: { allow: [{ group }], tools: null } }, { 'If-Match': headers.get('etag') ?? '', 'Content-Type': 'application/merge-patch+json' });
      expect(status).toBe(200);
    };
    await allow('leads');
    let refusal: unknown;
    for (refusal = await failureOf(callerSeenBy(doras)); refusal === 'no failure'; refusal = await failureOf(callerSeenBy(doras))) await pause(10);
    expect(refusal).toMatchObject({ status: 403 });
    expect(await callerSeenBy(anas)).toBe(people.ana.email);
    await allow('sales');
    for (refusal = await failureOf(callerSeenBy(doras)); refusal !== 'no failure'; refusal = await failureOf(callerSeenBy(doras))) await pause(10);
    expect([anas.visits.length, doras.visits.length]).toEqual([1, 1]);
  });

  it('who comes into one is let in with the next login', async () => {
    await issuer.put({ ...people.ben, groups: ['sales'] });
    const client = await installFor(await sitDown('ben'));
    expect(await callerSeenBy(client)).toBe(people.ben.email);
    await issuer.put(people.ben);
  });
});

describe('P8 what a person allowed', () => {
  it('an administrator can take back: the client has to ask again, and its person is asked again', async () => {
    const person = await sitDown('dora');
    const client = await installFor(person);
    expect(await callerSeenBy(client)).toBe(people.dora.email);
    const { body: users } = await gatehouse.admin.get<{ items: { id: string; email: string }[] }>('/v1/users');
    const { id } = users.items.find(({ email }) => email === people.dora.email) ?? { id: '' };
    expect((await gatehouse.admin.delete(`/v1/users/${id}/sessions`)).status).toBe(204);
    while (client.visits.length < 2) expect(await callerSeenBy(client)).toBe(people.dora.email);
    // The provider still knows them, the gateway does not.
    expect(pagesOf(client)[1]).toEqual([consent]);
  });
});
