import { AccessTokens } from '@gatehouse/access-tokens';
import { signRequest } from '@gatehouse/app-auth';
import { CallLimiter, createMemorySharedBuckets } from '@gatehouse/call-limits';
import { snapshotKeysOf, compileDocument } from '@gatehouse/gateway-config';
import { SealedSessions } from '@gatehouse/mcp-protocol';
import { keyRingOf } from '@gatehouse/sealing';
import { createLogger } from '@gatehouse/service-runtime';
import { Registry } from 'prom-client';
import { apiAnswer, apiDocument } from './api-document.ts';
import { makeSecrets } from './bench-secrets.ts';
import { applyChange, CallEventBuffer, type CallEventSink, type CallRecord, emptySnapshot, type Gateway, KnownNames, MemberSessions, observeCalls, observeStages, PendingConnections, prepareDocuments, type Snapshot, type StreamedBody, UpstreamSessions } from './data-plane-parts.ts';
import { accountDocument, authorizationServerDocument, bearerDocument, connectedDocument, exchangeDocument, headerPolicyDocument, interactiveDocument, serverDocument, signedDocument, virtualDocument, workspaceDocument } from './publish-configuration.ts';
import { sampleCall } from './sample-call.ts';

export const fixtureSecrets = makeSecrets();

/** A snapshot as a data plane makes it of what was published, with servers around the one that is called. */
export async function makeSnapshot(serverCount: number): Promise<Snapshot> {
  const keys = snapshotKeysOf([fixtureSecrets.snapshotKey]);
  const names = ['orders', ...Array.from({ length: serverCount - 1 }, (_, index) => `orders-${index}`)];
  const documents = [
    headerPolicyDocument,
    workspaceDocument,
    accountDocument(fixtureSecrets),
    authorizationServerDocument(fixtureSecrets),
    interactiveDocument('orders-interactive', 'https://orders.example/mcp', fixtureSecrets),
    connectedDocument('orders-connected', 'https://orders.example/mcp', fixtureSecrets),
    bearerDocument('orders-bearer', 'https://orders.example/mcp', fixtureSecrets),
    exchangeDocument('orders-exchange', 'https://orders.example/mcp', fixtureSecrets),
    apiDocument('orders-api', 'https://orders.example/v1', fixtureSecrets),
    signedDocument('orders-signed', 'https://orders.example/mcp', fixtureSecrets),
    virtualDocument('orders-virtual', names.slice(0, 10)),
    ...names.map((name) => serverDocument(name, `https://${name}.example/mcp`, fixtureSecrets)),
  ];
  const { prepared, rejects } = await prepareDocuments(keys, documents.map((document) => compileDocument(keys, document)));
  if (rejects.length > 0) throw new Error(`rejected: ${rejects[0]?.reason ?? ''}`);
  const state = { revision: 1, stamp: 'bench' };
  return applyChange(emptySnapshot(state), { state, prepared, removed: [] });
}

/** The call log as in production, but written nowhere. */
export function makeRecord(level: 'info' | 'warn', events?: CallEventSink): (record: CallRecord) => void {
  const logger = createLogger({ level, role: 'bench', destination: { write: () => undefined } });
  return observeCalls(logger, new Registry(), () => performance.now(), undefined, events);
}

/** Events of calls as in production, on their way to a stream that takes everything at once. */
export function makeEvents(): CallEventSink {
  const logger = createLogger({ level: 'silent', role: 'bench', destination: { write: () => undefined } });
  const stream = { append: (batch: readonly string[]) => Promise.resolve(batch.join(',').length * 0), take: () => Promise.resolve(0), waiting: () => Promise.resolve({ batches: 0, oldestMs: 0 }), close: () => Promise.resolve() };
  return new CallEventBuffer({ stream, dataPlane: 'bench', registry: new Registry(), logger });
}

const answerHeaders = { server: 'nginx', date: 'Thu, 20 Aug 2026 10:00:00 GMT', 'content-type': 'application/json', 'content-length': String(sampleCall.answer.length), connection: 'keep-alive' };
/** There as a whole, for whoever reads it. */
const bodyOf = (bytes: Buffer): StreamedBody => ({
  pipe: (sink) => {
    sink.write(bytes);
    sink.end();
  },
  resume: () => undefined,
  abort: () => undefined,
});
const answerBody = bodyOf(Buffer.from(sampleCall.answer));
export const upstreamResponse = { status: 200, headers: answerHeaders, body: answerBody } as const;

const apiResponse = { status: 200, headers: { ...answerHeaders, 'content-length': String(apiAnswer.length) }, body: bodyOf(apiAnswer) } as const;

const exchanged = { access_token: fixtureSecrets.upstreamKey, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: 86_400 };

/** The broker's answer is there at once, the first time that it is asked, and so is that of the provider that exchanges. */
const fixtureTokens = new AccessTokens({
  post: () => Promise.resolve({ status: 200, body: JSON.stringify({ status: 'token', accessToken: fixtureSecrets.upstreamKey, connection: 'connection', owner: 'owner', person: 'person' }) }),
  fetch: () => Promise.resolve(Response.json(exchanged)),
  now: Date.now,
});

const now = (): number => performance.now();
const noLimits = new CallLimiter({ now, buckets: createMemorySharedBuckets(now), defaults: { server: 0, caller: 0 }, onSharedChange: () => undefined, onSharedAlone: () => undefined });

/** Everything of a data plane but its sockets: the upstream's answer is there at once. */
export function makeGateway(snapshot: Snapshot, record: Gateway['record']): Gateway {
  const sessions = new SealedSessions(keyRingOf([fixtureSecrets.snapshotKey], 'session'), 86_400_000);
  const connecting = { pending: new PendingConnections(), upstreamSessions: new UpstreamSessions(), requestStates: sessions };
  return {
    snapshot: () => snapshot,
    limits: { headers: { maxBytes: 32_768, maxCount: 100 }, filteredBytes: 16_777_216 },
    callLimits: { limiter: noLimits, refused: () => undefined },
    originRules: { allowedOrigins: new Set(['http://localhost:3001']), allowedHosts: undefined },
    authentication: { keySets: { at: (url) => { throw new TypeError(`the bench has no key set at ${url}`); } }, publicUrl: 'http://localhost:3001', now: Date.now },
    connecting,
    callContext: { sessions, requestStates: sessions, upstreamSessions: connecting.upstreamSessions, maxBodyBytes: 4_194_304, maxUploadBytes: 4_194_304 },
    shapeContext: { sessions, eventStream: (body) => body },
    tokens: fixtureTokens,
    virtual: { sessions: new MemberSessions(), names: new KnownNames(Date.now) },
    timeouts: { responseMs: 60_000, streamIdleMs: 300_000 },
    publicPath: '',
    // As the transport does, right before it sends.
    forward: ({ upstream, outgoing }) => {
      if (outgoing.signatures !== undefined) signRequest(outgoing.signatures, { ...outgoing, body: outgoing.body as Buffer, origin: upstream.origin });
      return Promise.resolve(upstream.transport === 'http' ? apiResponse : upstreamResponse);
    },
    record,
    tracer: undefined,
    stages: observeStages(new Registry(), () => performance.now()),
    now: () => performance.now(),
  };
}
