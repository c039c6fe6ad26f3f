import type { Caller } from '@gatehouse/agent-auth';
import { type Credential, signaturesOf, signRequest } from '@gatehouse/app-auth';
import { isHeaderValue } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import type { GlobalHeaderPolicy } from '@gatehouse/gateway-config';
import type { Verdict } from '@gatehouse/header-policy';
import { isModernRevision, readMessage } from '@gatehouse/mcp-protocol';
import { Secret } from '@gatehouse/sealing';
import { version } from '@gatehouse/service-runtime';
import {
  type CallerHeaders, callerHeaderReader, callerTokenOf, type CallFacts, checkContentType, cleanHeaders, composeRequest, type ExplainedHeader, explainedHeaders, type HeaderLimits, obtainCredentials, type PreparedServer,
} from '@gatehouse/upstream-request';
import { isDirect, readDirectCall } from './direct-call.ts';
import { assumeHeaders, type AssumedHeaders } from './assume-headers.ts';
import { someone } from './caller-authentication.ts';
import type { GivenRequest } from './given-request.ts';
import { named, namedTokens } from './named-tokens.ts';
import { readToolCall, type ToolRequest } from './tool-call.ts';

export interface Refusal {
  readonly code: GatewayError['code'];
  readonly status: number;
  readonly message: string;
}

/** What a data plane would do with a request. */
export interface ExplainedRequest {
  /** Why nothing leaves. */
  readonly refusal: Refusal | undefined;
  /** The caller's headers as the gateway reads them; undefined where it reads none of them. */
  readonly callerHeaders: CallerHeaders | undefined;
  readonly assumed: AssumedHeaders['assumed'];
  /** Of each given header, as far as it would have come to that. */
  readonly verdicts: readonly Verdict[];
  readonly credentials: readonly Credential[];
  readonly headers: readonly ExplainedHeader[];
  /** Of what leaves. */
  readonly method: string;
  /** Path and query at the upstream, before credentials. */
  readonly path: string;
  /** Whose request at the API it is. */
  readonly tool?: string | undefined;
}

type CallToExplain = CallFacts & Partial<Pick<ToolRequest, 'path' | 'tool'>>;

/** The data planes' own defaults. */
const limits: HeaderLimits = { maxBytes: 32_768, maxCount: 100 };
const userAgent = `gatehouse/${version}`;
/** That there is one is all that is shown of it. */
const unsignedIdentity = { sign: () => new Secret('signed') };
const nothing = { verdicts: [], credentials: [], headers: [] };

/**
 * What would leave for a server, decided in the order and by the code of the data plane (`handleRequest` there), of which only
 * the sending is left out. A request that would be refused is explained all the same, as far as there is something to explain.
 * @param recognise whose request it is
 * @param ownIssuer of the gateway's own tokens
 */
export async function explainRequest(server: PreparedServer, headerPolicy: GlobalHeaderPolicy, given: GivenRequest, recognise: (headers: CallerHeaders) => Promise<Caller>, ownIssuer?: string): Promise<ExplainedRequest> {
  const read = attempt(() => {
    checkSize(given.rows);
    return cleanHeaders(legibleRows(given.rows), limits);
  });
  const { path } = server.upstream;
  if (read.failure) return { refusal: refusalOf(read.failure), callerHeaders: undefined, assumed: [], method: given.method, path, ...nothing };
  const direct = isDirect(server, given);
  const { headers: callerHeaders, assumed } = direct ? { headers: read.value, assumed: [] } : assumeHeaders(given, read.value);
  const checked = attempt<CallToExplain>(() => (direct ? readDirectCall(server, headerPolicy, given, callerHeaders) : { ...checkCall(server, given, callerHeaders), ...ofTools(server, given) }));
  const refusal = checked.failure && refusalOf(checked.failure);
  const call: CallToExplain = checked.value ?? { method: given.method, era: 'legacy', body: given.body, upstreamSession: undefined };
  const caller = await recognise(callerHeaders);
  try {
    const callerToken = caller === someone ? tokenOfSomeone(server) : callerTokenOf(caller, callerHeaders, ownIssuer);
    const credentials = await obtainCredentials(server, { server, caller, callerToken, tokens: namedTokens(server), identity: unsignedIdentity, callerHeader: callerHeaderReader(server, headerPolicy, given.rows, callerHeaders) });
    const composed = composeRequest({ server, headerPolicy, call, rows: given.rows, headers: callerHeaders, credentials, path: call.path ?? path, userAgent });
    const { method, tool } = call;
    const signatures = signaturesOf(credentials);
    const headers = signatures === undefined ? composed.headers : signRequest(signatures, { ...composed, method, origin: server.upstream.origin, body: tool === undefined ? given.body : (call.body as ToolRequest['body']) });
    return { refusal, callerHeaders, assumed, method, path: call.path ?? path, tool, verdicts: composed.verdicts, credentials, headers: refusal ? [] : explainedHeaders({ ...composed, headers }, server) };
  } catch (error) {
    return { refusal: refusal ?? refusalOf(understood(error)), callerHeaders, assumed, method: given.method, path, ...nothing };
  }
}

/**
 * The data plane's limits, for everything that was given: nothing looks at it before. What no HTTP server lets through counts
 * too, though `cleanHeaders` gets to see none of it.
 * @throws GatewayError headers_too_large
 */
function checkSize(rows: readonly string[]): void {
  const bytes = rows.reduce((sum, text) => sum + text.length + 2, 0);
  if (rows.length > 2 * limits.maxCount || bytes > limits.maxBytes) throw new GatewayError('headers_too_large', { detail: `${rows.length / 2} fields, ${bytes} bytes` });
}

/** What no HTTP server lets through, the gateway never reads; the policy says by itself that such a value does not leave. */
const legibleRows = (rows: readonly string[]): string[] => rows.filter((_, index) => isHeaderValue(rows[index | 1] ?? ''));

/** What the data plane must know of a call, and refuses it for, before it composes anything. */
function checkCall(server: PreparedServer, { method, body }: GivenRequest, headers: CallerHeaders): CallFacts {
  if (!server.enabled) throw new GatewayError('server_disabled');
  const isModern = isModernRevision(headers.protocolVersion);
  if (method !== 'POST') {
    if (isModern || (method !== 'GET' && method !== 'DELETE')) throw new GatewayError('method_not_allowed');
    return { method, era: 'legacy', body: undefined, upstreamSession: sessionOf(headers) };
  }
  checkContentType(headers);
  const era = body === undefined ? (isModern ? 'modern' : 'legacy') : eraOf(body, headers);
  return { method, era, body: body ?? '', upstreamSession: era === 'modern' ? undefined : sessionOf(headers) };
}

/** What leaves for a tool of an API is no MCP. Without a message that calls one, what its operation has of its own is not known. */
const ofTools = (server: PreparedServer, { body }: GivenRequest): Partial<ToolRequest> => (server.operations === undefined ? {} : (readToolCall(server, body) ?? { ownHeaders: [] }));

/** Whoever would be let in by a token has one. */
const tokenOfSomeone = ({ agentAuth }: PreparedServer) => (agentAuth.type === 'passthrough' && !agentAuth.open ? named : undefined);

/** The upstream's own id is inside the caller's, sealed: that there is one is all that can be said of it here. */
const sessionOf = ({ sessionId }: CallerHeaders): string | undefined => (sessionId === undefined ? undefined : '');

function eraOf(body: string, { protocolVersion, mcpMethod, mcpName }: CallerHeaders): CallFacts['era'] {
  const read = readMessage(Buffer.from(body, 'utf8'), { protocolVersion, method: mcpMethod, name: mcpName });
  if ('message' in read) return read.message.era;
  throw new GatewayError(read.problem === 'header_mismatch' ? 'header_mismatch' : 'invalid_request', { detail: read.detail });
}

/** Of a message that is refused, the detail is what its caller is told. */
function refusalOf({ code, status, publicMessage, detail }: GatewayError): Refusal {
  const isAboutMessage = code === 'header_mismatch' || code === 'invalid_request';
  // Of a tool it is an answer like any other; of a direct call it is a refusal.
  return { code, status: code === 'tool_not_allowed' ? 403 : status, message: isAboutMessage && detail !== undefined ? detail : publicMessage };
}

type Attempt<T> = { readonly value: T; readonly failure?: undefined } | { readonly value?: undefined; readonly failure: GatewayError };

function attempt<T>(step: () => T): Attempt<T> {
  try {
    return { value: step() };
  } catch (error) {
    return { failure: understood(error) };
  }
}

/** @throws whatever nobody foresaw */
function understood(error: unknown): GatewayError {
  if (error instanceof GatewayError && error.code !== 'internal') return error;
  throw error;
}
