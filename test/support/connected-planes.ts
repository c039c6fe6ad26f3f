import type { ServerResponse } from 'node:http';
import { parseKey, Secret } from '@gatehouse/sealing';
import { TokenSeals } from '../../apps/control-plane/src/connections/token-seals.ts';
import { Database } from '../../apps/control-plane/src/database/database.ts';
import { openDataSource } from '../../apps/control-plane/src/database/open-data-source.ts';
import { uuidV7 } from '../../apps/control-plane/src/database/uuid-v7.ts';
import { putConnection } from '../../apps/control-plane/src/spec-support/put-connection.ts';
import { localRootKey } from '../../apps/control-plane/src/vault/root-keys/local-root-key.ts';
import { RootKeys } from '../../apps/control-plane/src/vault/root-keys/root-keys.ts';
import { Vault } from '../../apps/control-plane/src/vault/vault.ts';
import type { AdminClient } from './admin-client.ts';
import { startAlternatingProxy } from './alternating-proxy.ts';
import { type DeafLine, startDeafLine } from './deaf-line.ts';
import { type DataPlaneProcess, type ProductionShape, startProductionShape } from './production-shape.ts';
import { headerValue, type RecordedRequest, startRecordingUpstream } from './recording-upstream.ts';
import { startStrictProvider, type StrictProvider } from './strict-oauth-provider.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { startTokenIssuer } from './token-issuer.ts';

export interface ConnectedPlanesOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly dataPlanes?: readonly string[];
  /** Settings of either kind of plane that depend on where the stores and the broker are: other lines to them, say. */
  readonly environmentOf?: (parts: PlaneParts) => Promise<PlaneEnvironments>;
}

/** Where planes find what they need. */
export interface PlaneParts {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly brokerUrl: string;
}

export type PlaneEnvironments = Readonly<Record<'controlPlane' | 'dataPlane', Record<string, string>>>;

export type ControlPlaneProcess = Awaited<ReturnType<ProductionShape['startControlPlane']>>;

/** Someone who has connected, and may call. */
export interface ConnectedPerson {
  readonly name: string;
  readonly person: string;
  readonly connection: string;
  /** That the connection began with. */
  readonly accessToken: string;
  /** Of that one, in milliseconds since the epoch, as the database has it. */
  readonly expiresAt: number;
  /** What their agent shows the data planes. */
  readonly authorization: string;
}

/** What became of a call: `served`, `told to connect`, or the status and code of an error. */
export type CallOutcome = string;

/** Two control planes and data planes as processes, and a server that wants a connection of each caller, at a provider that takes each refresh token once. */
export interface ConnectedPlanes {
  readonly shape: ProductionShape;
  readonly provider: StrictProvider;
  /** In front of the provider's token and revocation endpoints. */
  readonly providerLine: TcpProxy;
  /** Between Redis and data planes. */
  readonly redisLine: DeafLine;
  readonly controlPlanes: readonly [ControlPlaneProcess, ControlPlaneProcess];
  readonly dataPlanes: readonly DataPlaneProcess[];
  /** In the place of the one of that name; a data plane finds its folder again. */
  startControlPlane(name: string): Promise<ControlPlaneProcess>;
  startDataPlane(name: string, more?: Record<string, string>): Promise<DataPlaneProcess>;
  /** At the control plane that answers: the one or the other. */
  readonly admin: AdminClient;
  /** Of the one server and its app, by id. */
  readonly server: string;
  readonly app: string;
  connect(name: string, expiresInSeconds: number): Promise<ConnectedPerson>;
  call(plane: DataPlaneProcess, who: ConnectedPerson): Promise<CallOutcome>;
  /** When the upstream last saw an access token, whatever it answered; milliseconds since the epoch. */
  lastUseOf(accessToken: string): number | undefined;
  query<Row extends object>(text: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** A counter of both control planes together, with one label. */
  counted(name: string, label?: string): Promise<number>;
  close(): Promise<void>;
}

export async function startConnectedPlanes({ environment = {}, dataPlanes: names = ['one', 'two'], environmentOf }: ConnectedPlanesOptions = {}): Promise<ConnectedPlanes> {
  const closings: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closing of closings.reverse()) await closing();
  };
  const closedAtEnd = <T extends { close(): Promise<void> }>(part: T): T => {
    closings.push(() => part.close());
    return part;
  };
  const provider = await startStrictProvider().then(closedAtEnd);
  const providerLine = await startTcpProxy({ targetPort: Number(new URL(provider.issuer).port) }).then(closedAtEnd);
  const issuer = await startTokenIssuer().then(closedAtEnd);
  issuer.answer(answerMetadataAndKeys);
  const upstream = await startRecordingUpstream().then(closedAtEnd);
  const publicProxy = await startAlternatingProxy().then(closedAtEnd);
  const internalProxy = await startAlternatingProxy().then(closedAtEnd);
  const shape = await startProductionShape(environment).then(closedAtEnd);
  const redisLine = await startDeafLine(shape.redis).then(closedAtEnd);
  const environments = await environmentOf?.({ databaseUrl: shape.databaseUrl, redisUrl: shape.redis.url, brokerUrl: internalProxy.url });
  const controlPlanes = [await startControlPlane('one'), await startControlPlane('two')] as const;
  const dataPlanes = await Promise.all(names.map((name) => startDataPlane(name)));

  const dataSource = await openDataSource({ url: new Secret(shape.databaseUrl), poolSize: 2 }).initialize();
  closings.push(() => dataSource.destroy());
  const database = new Database(dataSource);
  const vaultKey = parseKey(shape.environment['GATEHOUSE_VAULT_KEY'] ?? '');
  const seals = new TokenSeals(database, new Vault(new RootKeys(localRootKey(vaultKey, 'GATEHOUSE_VAULT_KEY'))));

  const admin = shape.adminAt(publicProxy.url);
  const [app, server] = [await created('/v1/workspaces/default/apps', appDocument()), await created('/v1/workspaces/default/servers', serverDocument())];
  const [workspace] = await query<{ id: string }>(`select id from workspaces where name = 'default'`);
  await created('/v1/identity-providers', { name: 'corp', issuer: issuer.url, clientId: 'gatehouse', clientSecret: 'nobody-logs-in-here-0123456789' });

  const tokenEnds = new Map<string, number>();
  const lastUses = new Map<string, number>();
  upstream.handle(answerWhoHasGoodToken);
  for (const plane of dataPlanes) while ((await fetch(urlAt(plane), { method: 'POST' })).status !== 401) await new Promise(setImmediate);

  return {
    shape, provider, providerLine, redisLine, controlPlanes, dataPlanes, admin, server, app, query, close, startControlPlane, startDataPlane,
    connect: async (name, expiresInSeconds) => {
      const person = uuidV7();
      await query(`insert into people (id, provider, issuer, subject, name) values ($1, 'corp', $2, $3, $4)`, [person, issuer.url, person, name]);
      const owner = { kind: 'app', id: app, workspaceId: workspace?.id ?? '' } as const;
      const { id: connection, accessToken } = await putConnection({ database, seals, provider }, { person, owner, expiresInSeconds });
      const [row] = await query<{ expiresAt: Date }>('select expires_at as "expiresAt" from connections where id = $1', [connection]);
      const expiresAt = row?.expiresAt.getTime() ?? 0;
      tokenEnds.set(accessToken, expiresAt);
      const authorization = `Bearer ${await issuer.sign({ sub: person, aud: audience, exp: Math.floor(Date.now() / 1000) + 7200 })}`;
      return { name, person, connection, accessToken, expiresAt, authorization };
    },
    call: async (plane, { authorization }) => {
      const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'inspect', arguments: {} } });
      const response = await fetch(urlAt(plane), { method: 'POST', headers, body });
      return outcomeOf(response.status, await response.text());
    },
    lastUseOf: (accessToken) => lastUses.get(accessToken),
    counted: async (name, label = '') => {
      const texts = await Promise.all(controlPlanes.map(({ internalUrl }) => fetch(new URL('/metrics', internalUrl)).then((reply) => reply.text(), () => '')));
      const values = texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(name) && line.includes(label)));
      return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };

  async function startControlPlane(name: string): Promise<ControlPlaneProcess> {
    const started = await shape.startControlPlane(environments?.controlPlane);
    publicProxy.targets.set(name, started.process.controlPlaneUrl);
    internalProxy.targets.set(name, started.internalUrl);
    return started;
  }

  function startDataPlane(name: string, more?: Record<string, string>): Promise<DataPlaneProcess> {
    return shape.startDataPlane(name, { GATEHOUSE_INTERNAL_URL: internalProxy.url, GATEHOUSE_REDIS_URL: redisLine.url, ...environments?.dataPlane, ...more });
  }

  async function created(path: string, document: object): Promise<string> {
    const { status, body } = await admin.post<{ id: string }>(path, document);
    if (status !== 201) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
    return body.id;
  }

  function appDocument(): object {
    const { authorizationUrl, tokenUrl, revocationUrl, clientId, clientSecret } = provider;
    const [tokenAtLine, revocationAtLine] = [tokenUrl, revocationUrl].map((url) => Object.assign(new URL(url), { port: providerLine.port }).href);
    return { name: 'acme', authorizationUrl, tokenUrl: tokenAtLine, revocationUrl: revocationAtLine, clientId, clientSecret, clientAuth: 'basic' };
  }

  function serverDocument(): object {
    const jwt = { jwksUrl: issuer.jwksUrl, issuer: issuer.url, audience };
    return { name: 'tickets', type: 'mcp', upstream: { url: upstream.url }, agentAuth: { type: 'passthrough', jwt }, appAuth: { type: 'oauth-authorization-code', app: 'acme' } };
  }

  /** The one where the other is asked for too: each leaves the other's members alone. */
  function answerMetadataAndKeys(response: ServerResponse): void {
    const { url, jwksUrl, key } = issuer;
    const metadata = { issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: jwksUrl, keys: [key.publicJwk] };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(metadata));
  }

  function query<Row extends object>(text: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return database.sql<Row>(text, parameters);
  }

  /** It takes no token that has expired or that the provider does not take any more. */
  async function answerWhoHasGoodToken(request: RecordedRequest, response: ServerResponse): Promise<void> {
    // Whoever drives it for minutes needs no record.
    upstream.requests.length = 0;
    const token = /^Bearer (.+)$/.exec(headerValue(request, 'authorization') ?? '')?.[1] ?? '';
    lastUses.set(token, Date.now());
    const isGood = Date.now() < (tokenEnds.get(token) ?? Infinity) && (await provider.accepts(token));
    if (!isGood) return void response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }).end();
    const { id } = JSON.parse(request.body.toString()) as { id: number };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'served' }] } }));
  }
}

/** Of the agents' tokens. */
const audience = 'tickets';

const urlAt = (plane: DataPlaneProcess): string => `${plane.dataPlaneUrl}/mcp/default/tickets`;

interface Answer {
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly data?: { readonly code?: string } };
}

function outcomeOf(status: number, text: string): CallOutcome {
  const { result, error } = JSON.parse(text) as Answer;
  const said = result?.content?.[0]?.text ?? '';
  if (status === 200 && said === 'served') return 'served';
  return said.includes('/connect?link=') ? 'told to connect' : `${status} ${error?.data?.code ?? said}`;
}
