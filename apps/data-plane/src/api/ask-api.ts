import { ArgumentError, buildApiRequest, inexactNumber } from '@gatehouse/api-tools';
import { GatewayError, pointerOf, type Problem } from '@gatehouse/errors';
import {
  firstModernRevision, isLegacyRevision, readLegacyClient, rpcError, rpcErrorCodes, rpcResult, type RpcId, serverDiscovered, serverInitialized, toolCallResult, toolListPage, unsupportedRevision,
} from '@gatehouse/mcp-protocol';
import { version } from '@gatehouse/service-runtime';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { Ask } from '../pipeline/ask.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import { jsonReply } from '../pipeline/connect/connect-answer.ts';
import { sealConnectSession } from '../pipeline/connect/connect-session.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import { MessageError } from '../pipeline/message-error.ts';
import { MethodError } from '../pipeline/method-error.ts';
import type { Reply } from '../pipeline/request.ts';
import { servedTools } from './served-tools.ts';
import { ToolAsk } from './tool-ask.ts';

type Json = Readonly<Record<string, unknown>>;

/** What was edited is seen after so long by clients that keep lists (MCP 2026-07-28, caching). */
const listTtlMs = 60_000;

/**
 * An API has no MCP server: the gateway is one for it, without sessions, in both eras. Only a tool that is called, with arguments
 * that fit it, asks the API anything.
 * @throws MessageError, MethodError, GatewayError streamable_http_only
 */
export function askApi(gateway: Gateway, admitted: AdmittedCall, record: CallRecord): Ask | Reply {
  const { route, call } = admitted;
  if (route.endpoint !== 'mcp') throw new GatewayError('streamable_http_only');
  // A stream would have nothing to say, and there is no session to end.
  if (call.method !== 'POST' || call.body === undefined || call.message === undefined) throw new MethodError('POST');
  const { method, id } = call.message;
  if (method === undefined) return ofResponse(call.body, id);
  const params = paramsOf(call.body);
  const refusal = call.era === 'modern' ? unfitEnvelope(params, id) : unfitRevision(admitted, method, id);
  if (refusal !== undefined) return refusal;
  // A notification: nothing goes on that it could be about.
  if (id === null) return accepted();
  return answerOf(gateway, admitted, record, method, id, params);
}

function answerOf(gateway: Gateway, admitted: AdmittedCall, record: CallRecord, method: string, id: RpcId, params: Json): Ask | Reply {
  const { server, call } = admitted;
  const isModern = call.era === 'modern';
  switch (method) {
    case 'tools/call':
      return callTool(gateway, admitted, record, id, params);
    case 'tools/list': {
      const { cursor } = params;
      const page = cursor === undefined || typeof cursor === 'string' ? servedTools(server).page(cursor) : undefined;
      if (page === undefined) return jsonReply(200, rpcError({ id, code: rpcErrorCodes.invalidParams, message: 'Invalid cursor: the list begins anew without one.' }));
      return jsonReply(200, toolListPage(id, page.tools, page.nextCursor, isModern, listTtlMs));
    }
    case 'server/discover':
      if (isModern) return jsonReply(200, serverDiscovered(id, describe(admitted), listTtlMs));
      break;
    case 'initialize':
      if (!isModern) return initialize(gateway, admitted, id);
      break;
    case 'ping':
      if (!isModern) return jsonReply(200, rpcResult(id, {}));
  }
  // The status tells a modern client that it was understood (MCP 2026-07-28, transports).
  return jsonReply(isModern ? 404 : 200, rpcError({ id, code: rpcErrorCodes.methodNotFound, message: 'Method not found' }));
}

function callTool(gateway: Gateway, admitted: AdmittedCall, record: CallRecord, id: RpcId, { name, arguments: args = {} }: Json): Ask | Reply {
  const tools = servedTools(admitted.server);
  const operation = typeof name === 'string' ? tools.find(name) : undefined;
  // In the words of the specification (MCP, server/tools, error handling).
  if (operation === undefined) return invalidParams(id, `Unknown tool: ${typeof name === 'string' ? name : ''}`);
  if (!isJson(args)) return invalidParams(id, 'The arguments of a tool are an object.');
  // Of what a model got wrong it is told where it looks (MCP, server/tools, error handling).
  const unfit = (problems: readonly Problem[]): Reply => jsonReply(200, toolCallResult(id, { content: [{ type: 'text', text: describeProblems(problems) }], isError: true }, admitted.call.era === 'modern'));
  const inexact = inexactNumber((admitted.call.body as Buffer).toString('utf8'));
  if (inexact !== undefined) return unfit([{ pointer: pointerOf([inexact]), detail: 'is a number with more digits than can be kept: it would be another one' }]);
  const problems = tools.problemsOf(operation, args);
  if (problems.length > 0) return unfit(problems);
  try {
    return new ToolAsk(gateway, admitted, record, operation, buildApiRequest(operation, args, tools.baseUrl));
  } catch (error) {
    if (error instanceof ArgumentError) return unfit(error.problems);
    throw error;
  }
}

/** Legacy. How this client can be told to connect an account has to be known later: only then it has a session. */
function initialize({ callContext }: Gateway, admitted: AdmittedCall, id: RpcId): Reply {
  const { server, call } = admitted;
  const client = readLegacyClient(call.body as Buffer);
  const session = server.connects ? ['mcp-session-id', sealConnectSession(callContext.sessions, call.owner, client, null)] : [];
  return jsonReply(200, serverInitialized(id, client.protocolVersion, describe(admitted)), 'application/json', session);
}

const describe = ({ server: { name, title } }: AdmittedCall): { name: string; title: string; version: string } => ({ name, title, version });

const accepted = (): Reply => ({ status: 202, headers: ['content-length', '0'], body: undefined });

const invalidParams = (id: RpcId, message: string): Reply => jsonReply(200, rpcError({ id, code: rpcErrorCodes.invalidParams, message }));

/** Of what the gateway never asked; or a batch, which ended with 2025-06-18 and which nobody sends any more. */
function ofResponse(body: Buffer, id: RpcId): Reply {
  if (!/^\s*\[/.test(body.toString('latin1', 0, 64))) return accepted();
  throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, id, 'This server takes one message at a time, and no batches.');
}

const versionKey = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

/** What every modern request says of itself (MCP 2026-07-28, versioning). */
export function unfitEnvelope({ _meta }: Json, id: RpcId): Reply | undefined {
  const meta = isJson(_meta) ? _meta : {};
  const requested = meta[versionKey];
  const missing = [versionKey, capabilitiesKey].filter((key) => (key === versionKey ? typeof requested !== 'string' : !isJson(meta[key])));
  if (missing.length > 0) return jsonReply(400, rpcError({ id, code: rpcErrorCodes.invalidParams, message: `Invalid params: _meta lacks ${missing.join(', ')}`, data: { envelope: { missing } } }));
  return requested === firstModernRevision ? undefined : jsonReply(400, unsupportedRevision(id, String(requested)));
}

/** Absent: 2025-03-26 is assumed (MCP 2025-11-25, transports). */
export function unfitRevision({ headers: { protocolVersion } }: AdmittedCall, method: string, id: RpcId): undefined {
  if (method === 'initialize' || protocolVersion === undefined || isLegacyRevision(protocolVersion)) return;
  throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, id, `Unsupported protocol version: ${protocolVersion.slice(0, 64)}`);
}

const describeProblems = (problems: readonly Problem[]): string =>
  `The arguments do not fit this tool:\n${problems.map(({ pointer, detail }) => `- ${pointer === '' ? 'arguments' : pointer.slice(1)}: ${detail}`).join('\n')}`;

function paramsOf(body: Buffer): Json {
  const message = JSON.parse(body.toString('utf8')) as Json;
  return isJson(message['params']) ? message['params'] : {};
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
