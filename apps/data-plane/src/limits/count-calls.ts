import type { PreparedLimits } from '@gatehouse/call-limits';
import { rpcErrorCodes } from '@gatehouse/mcp-protocol';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import { readUnambiguously } from '../pipeline/check-tools.ts';
import { MessageError } from '../pipeline/message-error.ts';

export interface CountedCalls {
  /** More than one in a batch (MCP 2025-03-26). */
  readonly calls: number;
  /** Those that are called, by name. Only where that was asked for. */
  readonly tools: readonly string[];
}

const one: CountedCalls = { calls: 1, tools: [] };
/** Of messages in a batch: each of them may be another tool, and a question to Redis. */
const maxBatch = 100;

/**
 * How many calls a request has. Each message that asks for something is one, whatever it asks for; notifications and answers are part of
 * a call that was counted, and streams that a caller listens on and the end of a session ask for nothing (docs/limits.md).
 * @returns `undefined` where there is none
 * @throws MessageError, GatewayError for a body that could be read in two ways: what one reader does not count, another one would call;
 * MessageError for a batch that is too large to be counted
 */
export function countCalls({ route, call, headers }: AdmittedCall, { byTool, rates }: PreparedLimits): CountedCalls | undefined {
  if (route.endpoint === 'api') return one;
  const { message, body } = call;
  if (message === undefined || body === undefined) return undefined;
  const { method } = message;
  // Whatever else could be read in it: it is one call.
  if (!byTool && method !== undefined && !mayTell(method)) return one;
  const { requests, isBatch } = readUnambiguously(body, headers);
  if (isBatch && rates.length > 0 && requests.length > maxBatch) throw new MessageError('invalid_request', rpcErrorCodes.invalidRequest, null, `A batch has at most ${maxBatch} messages here.`);
  const calls = countRequests(body);
  return calls === 0 ? undefined : { calls, tools: requests.flatMap((read) => read.call?.tool ?? []) };
}

/** Whether it may be the method of a message that wants no answer and asks for nothing. */
const mayTell = (method: string): boolean => method.startsWith('notifications/');

function countRequests(body: Buffer): number {
  const messages = JSON.parse(body.toString('utf8')) as Message | readonly Message[];
  return (Array.isArray(messages) ? (messages as readonly Message[]) : [messages as Message]).filter(isRequest).length;
}

interface Message {
  readonly method?: unknown;
}

/** Whatever its method is, what has an id is answered (JSON-RPC 2.0 section 4.1). */
const isRequest = (message: Message): boolean => typeof message.method === 'string' && (!mayTell(message.method) || Object.hasOwn(message, 'id'));
