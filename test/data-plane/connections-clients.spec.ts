import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitationCompleteNotificationSchema, ToolListChangedNotificationSchema, UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ana, signAccessToken } from '../support/access-token.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { startSampleSseUpstream } from '../support/mcp-sample-sse-upstream.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/mcp-sample-upstream.ts';
import { startSpecBroker, type SpecBroker } from '../support/token-broker.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

let upstream: SampleUpstream;
let issuer: TokenIssuer;
let broker: SpecBroker;
let dataPlane: InProcessDataPlane;
let isConnected: boolean;
let names = 0;

const url = 'https://gatehouse.example/connect/sealed-link';
const clientInfo = { name: 'spec', version: '1' };
const opensUrls = { elicitation: { url: {} } };

beforeAll(async () => {
  [upstream, issuer, broker] = await Promise.all([startSampleUpstream(), startTokenIssuer(), startSpecBroker()]);
  dataPlane = await startPublicDataPlane(broker.environment);
  await dataPlane.publishAuthorizationServer(issuer);
  broker.answer(() =>
    isConnected ? { status: 'token', accessToken: 'token-of-ana', connection: 'connection-1', owner: 'app-1', person: ana.sub } : { status: 'connect_required', connectUrl: url, linkId: 'link-1', app: 'GitHub', reason: 'not_connected' },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([upstream.close(), issuer.close(), broker.close()]);
});
beforeEach(() => void (isConnected = false));

async function publish(upstreamOf: object = { url: upstream.url }): Promise<{ endpoint: URL; options: { requestInit: { headers: Record<string, string> } } }> {
  const name = `github-${(names += 1)}`;
  await dataPlane.publish({ name, upstream: upstreamOf as { url: string }, agentAuth: { type: 'interactive' }, appAuth: { type: 'oauth-authorization-code', app: 'github' } });
  const endpoint = new URL(`${dataPlane.url}/mcp/default/${name}`);
  return { endpoint, options: { requestInit: { headers: { authorization: `Bearer ${await signAccessToken(issuer, endpoint.href)}` } } } };
}
/** The person opens the link and connects. */
const connect = (): Promise<void> => {
  isConnected = true;
  return dataPlane.channel.publishEvent({ connected: { owner: 'app-1', person: ana.sub, linkId: 'link-1' } });
};
const echo = { name: 'echo', arguments: { text: 'over there' } };
const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? '';
const urlsOf = (error: unknown): unknown => (error as { elicitations?: { url: string }[] }).elicitations?.map((elicitation) => elicitation.url);

describe('the SDK of the legacy era (1.32)', () => {
  async function open(capabilities: object, upstreamOf?: object): Promise<Client> {
    const { endpoint, options } = await publish(upstreamOf);
    const client = new Client(clientInfo, { capabilities });
    await client.connect(new StreamableHTTPClientTransport(endpoint, options));
    return client;
  }

  it('is given the URL, hears when it is done, and goes on in its session', async () => {
    const client = await open(opensUrls);
    const heard: string[] = [];
    const completed = new Promise<void>((resolve) => {
      client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
        heard.push(params.elicitationId);
        resolve();
      });
    });
    const changed = new Promise<void>((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['connect_account']);
    const error: unknown = await client.callTool(echo).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UrlElicitationRequiredError);
    expect(urlsOf(error)).toEqual([url]);
    let isTold = false;
    const told = Promise.all([completed, changed]).then(() => (isTold = true));
    // Its stream may just be opening.
    while (!isTold) {
      await connect();
      await new Promise(setImmediate);
    }
    await told;
    expect(heard[0]).toBe('link-1');
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
  });

  it('goes on where the upstream speaks HTTP+SSE, too', async () => {
    const sse = await startSampleSseUpstream();
    const client = await open({}, { url: sse.url, transport: 'sse' });
    expect(textOf(await client.callTool(echo))).toContain(url);
    await connect();
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
    await sse.close();
  });

  it('without the capability gets the link as text, and goes on afterwards', async () => {
    const client = await open({});
    const refused = await client.callTool(echo);
    expect([refused.isError, textOf(refused)]).toEqual([true, expect.stringContaining(url)]);
    await connect();
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
  });
});

describe('the SDK of both eras (2.4)', () => {
  async function open(mode: 'legacy' | 'auto', capabilities: object): Promise<ModernClient> {
    const { endpoint, options } = await publish();
    const client = new ModernClient(clientInfo, { capabilities, versionNegotiation: { mode } });
    if ('elicitation' in capabilities) {
      client.setRequestHandler('elicitation/create', async () => {
        await connect();
        return { action: 'accept' as const };
      });
    }
    await client.connect(new ModernTransport(endpoint, options));
    return client;
  }

  it('legacy: is given the URL, and goes on', async () => {
    const client = await open('legacy', opensUrls);
    const error: unknown = await client.callTool(echo).catch((thrown: unknown) => thrown);
    expect([(error as { code?: number }).code, urlsOf(error)]).toEqual([-32042, [url]]);
    await connect();
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
  });

  it('modern: is asked to open the URL, and the same call goes on', async () => {
    const client = await open('auto', opensUrls);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['connect_account']);
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
  });

  it.each(['legacy', 'auto'] as const)('%s, without the capability: gets the link as text, and goes on afterwards', async (mode) => {
    const client = await open(mode, {});
    const refused = await client.callTool(echo);
    expect([refused.isError, textOf(refused)]).toEqual([true, expect.stringContaining(url)]);
    await connect();
    expect(textOf(await client.callTool(echo))).toContain('over there');
    await client.close();
  });
});
