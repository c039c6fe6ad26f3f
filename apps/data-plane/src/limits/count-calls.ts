import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import { readUnambiguously } from '../pipeline/check-tools.ts';
import { MemberRequest } from '../virtual/member-request.ts';

export interface CountedCalls {
  /** More than one in a batch (MCP 2025-03-26). */
  readonly calls: number;
  /** Those that are called, by name. Only where that was asked for. */
  readonly tools: readonly string[];
}

const one: CountedCalls = { calls: 1, tools: [] };

/**
 * How many calls a request has. Each message that asks for something is one, whatever it asks for; notifications and answers are part of
 * a call that was counted, and streams that a caller listens on and the end of a session ask for nothing (docs/limits.md).
 * @returns `undefined` where there is none
 * @throws MessageError, GatewayError for a body that could be read in two ways: what one reader does not count, another one would call
 */
export function countCalls({ route, call, request, headers }: AdmittedCall, byTool: boolean): CountedCalls | undefined {
  if (route.endpoint === 'api') return one;
  const { message, body } = call;
  if (message === undefined || body === undefined) return undefined;
  const { method } = message;
  // What a virtual server says to begin with a member: a client at the member's own URL would have said it once, and is not here.
  if (method !== undefined && beginnings.has(method) && request instanceof MemberRequest) return undefined;
  // Whatever else could be read in it: it is one call.
  if (!byTool && method !== undefined && isCounted(method)) return one;
  const { requests, isBatch } = readUnambiguously(body, headers);
  const calls = isBatch ? countBatch(body) : method !== undefined && isCounted(method) ? 1 : 0;
  return calls === 0 ? undefined : { calls, tools: requests.flatMap((read) => read.call?.tool ?? []) };
}

const beginnings = new Set(['initialize', 'server/discover']);

const isCounted = (method: string): boolean => !method.startsWith('notifications/');

function countBatch(body: Buffer): number {
  const messages = JSON.parse(body.toString('utf8')) as readonly { readonly method?: unknown }[];
  return messages.filter(({ method }) => typeof method === 'string' && isCounted(method)).length;
}
