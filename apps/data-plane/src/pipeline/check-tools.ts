import { GatewayError } from '@gatehouse/errors';
import { connectTool, type ReadToolCalls, readToolCalls, type RequestInBody, rpcError, rpcErrorCodes, type RpcId, type ToolRules } from '@gatehouse/mcp-protocol';
import type { CallerHeaders, PreparedServer } from '@gatehouse/upstream-request';
import { MessageError } from './message-error.ts';
import type { Call } from './read-call.ts';

/** A tool that may not be called. The upstream has not been asked: what is answered depends on the name alone. */
export class ToolRefusal extends GatewayError {
  /** JSON-RPC, as an MCP server answers for a tool that it does not have. */
  readonly answer: string;

  constructor(answer: string) {
    super('tool_not_allowed');
    this.answer = answer;
  }
}

/**
 * Whether the tools of this message may be called.
 * @throws ToolRefusal, MessageError invalid_request for a body that could be read in two ways, GatewayError unsupported_media_type
 */
export function checkTools({ tools, connects }: PreparedServer, { body }: Call, headers: CallerHeaders): void {
  if (tools === undefined || body === undefined) return;
  const read = readUnambiguously(body, headers);
  // The gateway's own, which never goes to the upstream.
  if (connects && !read.isBatch && read.requests[0]?.call?.tool === connectTool) return;
  if (read.requests.some((request) => isRefused(request, tools))) throw refusal(read, tools);
}

type UnambiguousCalls = Exclude<ReadToolCalls, { ambiguous: string }>;

/** @throws MessageError invalid_request for a body that could be read in two ways, GatewayError unsupported_media_type */
export function readUnambiguously(body: Buffer, headers: CallerHeaders): UnambiguousCalls {
  // JSON is UTF-8 (RFC 8259 section 8.1); in another charset the same bytes may be another call.
  if (otherCharset.test(headers.contentType ?? '')) throw new GatewayError('unsupported_media_type', { detail: 'charset' });
  const read = readToolCalls(body);
  if ('ambiguous' in read) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, read.ambiguous);
  return read;
}

const isRefused = ({ call }: RequestInBody, tools: ToolRules): boolean => call !== undefined && (call.tool === undefined || !tools.mayCall(call.tool));

function refusal({ requests, isBatch }: UnambiguousCalls, tools: ToolRules): GatewayError {
  const answers = requests.filter(({ id }) => id !== null).map((request) => (isRefused(request, tools) ? unknownTool(request) : notCalled(request.id)));
  if (answers.length === 0) return new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, 'A call of a tool has no id.');
  return new ToolRefusal(isBatch ? `[${answers.join(',')}]` : answers.join(''));
}

/** In the words of the specification (MCP, server/tools, error handling). */
const unknownTool = ({ id, call }: RequestInBody): string => rpcError({ id, code: rpcErrorCodes.invalidParams, message: `Unknown tool: ${call?.tool ?? ''}` });
const notCalled = (id: RpcId): string => rpcError({ id, code: rpcErrorCodes.invalidRequest, message: 'Nothing of this batch was called: another message of it was refused.' });

const otherCharset = /charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i;
