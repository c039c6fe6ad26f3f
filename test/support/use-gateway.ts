import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { checkDocuments } from '../../apps/gatehouse/src/documents/check-documents.ts';
import { readDocuments } from '../../apps/gatehouse/src/documents/read-documents.ts';
import { type AgentsFixture, connected, dataPlaneUrl, resourceUrl, useAgents } from '../../apps/control-plane/src/spec-support/use-agents.ts';
import type { Reply } from '../../apps/control-plane/src/spec-support/start-test-control-plane.ts';
import { answerAsMcp } from './answer-as-mcp.ts';
import type { IdentityProviderOptions } from './identity-provider.ts';
import { type InProcessDataPlane, startInProcessDataPlane } from './in-process-data-plane.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';

type Json = Readonly<Record<string, unknown>>;

/** Both planes, people who log in at their organisation's provider, and an upstream that keeps what reaches it. */
export interface GatewayFixture extends AgentsFixture {
  readonly upstream: RecordingUpstream;
  readonly dataPlane: InProcessDataPlane;
  /** Of the administrator, in the workspace `default`; any version may be replaced. */
  send<Body = Json>(method: string, path: string, body?: unknown): Promise<Reply<Body>>;
  /** Creates a server that calls the upstream, and waits until it is served. */
  serve(document: Json & { readonly name: string }): Promise<void>;
  /** Applies the documents of an example, as they are but for `place`: where those that it names really are. */
  applyExample(folder: string, environment: Json, place: (kind: string) => Json): Promise<void>;
  /** A token of someone's agent for a server, after a login. */
  authorizationOf(login: string, server: string): Promise<string>;
  /** Calls a tool; `inspect`, if none is named. */
  call(server: string, headers?: Readonly<Record<string, string>>, tool?: CalledTool): Promise<CallAnswer>;
  /** What the upstream has received under a name since the test began, of each tool call. */
  sent(name?: string): (string | undefined)[];
}

export interface CalledTool {
  readonly name: string;
  readonly arguments: object;
}

export interface CallAnswer {
  readonly status: number;
  readonly text: string;
  /** Of an error. */
  readonly code: string | undefined;
}

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const shared = { GATEHOUSE_DATA_PLANE_TOKEN: 'data-plane-token-0123456789abcdefghij' };
const inspect: CalledTool = { name: 'inspect', arguments: {} };

/** @param environment more of both planes' */
export function useGateway(options: Partial<IdentityProviderOptions> = {}, environment: Readonly<Record<string, string>> = {}): GatewayFixture {
  const fixture = useAgents({ ...shared, ...environment }, options);
  let upstream: RecordingUpstream;
  let dataPlane: InProcessDataPlane;
  beforeAll(async () => {
    const { plane } = fixture;
    const key = Buffer.from(plane.environment['GATEHOUSE_SNAPSHOT_KEY'] ?? '', 'base64');
    upstream = await startRecordingUpstream();
    dataPlane = await startInProcessDataPlane({ ...shared, ...environment, GATEHOUSE_INTERNAL_URL: plane.internalUrl, GATEHOUSE_DATA_PLANE_URL: dataPlaneUrl }, { key, channel: plane.channel });
  });
  afterAll(async () => {
    await dataPlane?.close();
    await upstream?.close();
  });
  beforeEach(() => {
    upstream.requests.length = 0;
    upstream.handle(answerAsMcp);
  });

  const send: GatewayFixture['send'] = (method, path, body) => fixture.plane.send(method, `/v1/workspaces/default${path}`, { headers: { 'If-Match': '*' }, ...(body !== undefined && { body }) });
  const create = async (path: string, body: unknown): Promise<void> => {
    const reply = await fixture.plane.send('POST', path, { body });
    if (reply.status !== 201) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  };
  const untilServed = async (server: string): Promise<void> => {
    // No JSON: refused before anything is sent (415, or 401), where the server is known; 503 before the first configuration.
    while ([404, 503].includes((await fetch(`${dataPlane.url}/mcp/default/${server}`, { method: 'POST', body: 'x' })).status)) await new Promise(setImmediate);
  };

  const own: Omit<GatewayFixture, keyof AgentsFixture> = {
    get upstream() {
      return upstream;
    },
    get dataPlane() {
      return dataPlane;
    },
    send,
    serve: async (document) => {
      await create('/v1/workspaces/default/servers', { type: 'mcp', upstream: { url: upstream.url }, ...document });
      await untilServed(document.name);
    },
    applyExample: async (folder, environment, place) => {
      const documents = await checkDocuments(await readDocuments([`${examples}${folder}`]), environment as Record<string, string>);
      for (const { kind, workspace, name, body } of documents) {
        await create(kind.collection(workspace), { ...body, ...place(kind.kind) });
        if (kind.kind === 'Server') await untilServed(name);
      }
    },
    authorizationOf: async (login, server) => {
      const { tokens } = await connected(fixture, { login, overrides: { resource: resourceUrl(server) } });
      return `Bearer ${tokens.access_token}`;
    },
    call: async (server, headers = {}, tool = inspect) => {
      const response = await fetch(`${dataPlane.url}/mcp/default/${server}`, {
        method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: tool }),
      });
      const text = await response.text();
      return { status: response.status, text, code: /"code":"(\w+)"/.exec(text)?.[1] };
    },
    sent: (name = 'authorization') => upstream.requests.filter(({ body }) => body.includes('tools/call')).map((request) => headerValue(request, name)),
  };
  // Its getters are read when they are used: nothing has started yet.
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(fixture), ...Object.getOwnPropertyDescriptors(own) }) as GatewayFixture;
}

/** The link that a person is given in an answer. */
export function linkIn({ text }: CallAnswer): string {
  const link = /https:\/\/gatehouse\.example\/connect\?link=[\w-]+/.exec(text)?.[0];
  expect(link, text).toBeDefined();
  return link ?? '';
}
