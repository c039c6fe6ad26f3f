import { GatewayError } from '@gatehouse/errors';
import { firstModernRevision, type LegacyClient } from '@gatehouse/mcp-protocol';
import type { Capabilities } from '@gatehouse/virtual-servers';
import type { Reply } from '../pipeline/request.ts';
import type { MemberMessage } from './member-message.ts';
import { drop, readAnswer } from './read-reply.ts';
import { type MemberSession, modernSession } from './virtual-session.ts';

export interface OpenedMember {
  readonly session: MemberSession;
  readonly capabilities: Capabilities;
  readonly instructions: string | undefined;
}

export interface OpenOptions {
  /** Which to try, in this order. */
  readonly eras: readonly ('legacy' | 'modern')[];
  readonly client: LegacyClient;
  /** The caller's own `initialize` or `server/discover`, of its era. */
  readonly text?: string | undefined;
  readonly maxBytes: number;
  readonly send: (message: MemberMessage, session: MemberSession | undefined) => Promise<Reply>;
  /** The member's own session id. */
  readonly sessionIdOf: (reply: Reply) => string | undefined;
}

/**
 * Begins with a member as the client would have: `initialize` (MCP 2025-11-25, lifecycle), or `server/discover` (MCP 2026-07-28).
 * @throws GatewayError upstream_not_mcp, upstream_failed; and as `send` does
 */
export async function openMember(options: OpenOptions): Promise<OpenedMember> {
  for (const era of options.eras) {
    const opened = era === 'legacy' ? await initialize(options) : await discover(options);
    if (opened !== undefined) return opened;
  }
  throw new GatewayError('upstream_not_mcp', { detail: 'a member of a virtual server answers neither initialize nor server/discover' });
}

const initializeId = 'gatehouse-initialize';
const discoverId = 'gatehouse-discover';

async function initialize({ client: { protocolVersion, capabilities, clientInfo }, eras, text, maxBytes, send, sessionIdOf }: OpenOptions): Promise<OpenedMember | undefined> {
  const isCallers = text !== undefined && eras[0] === 'legacy';
  const message = isCallers ? text : JSON.stringify({ jsonrpc: '2.0', id: initializeId, method: 'initialize', params: { protocolVersion, capabilities, clientInfo } });
  const reply = await send({ httpMethod: 'POST', method: 'initialize', id: idOf(message), text: message }, undefined);
  const result = await resultOf(reply, idOf(message), maxBytes);
  if (typeof result?.['protocolVersion'] !== 'string') return undefined;
  return { session: { era: 'legacy', sessionId: sessionIdOf(reply), protocolVersion: result['protocolVersion'] }, ...saidIn(result) };
}

async function discover({ eras, text, maxBytes, send }: OpenOptions): Promise<OpenedMember | undefined> {
  const isCallers = text !== undefined && eras[0] === 'modern';
  const message = isCallers ? text : JSON.stringify({ jsonrpc: '2.0', id: discoverId, method: 'server/discover', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': firstModernRevision, 'io.modelcontextprotocol/clientCapabilities': {} } } });
  const reply = await send({ httpMethod: 'POST', method: 'server/discover', id: idOf(message), text: message, revision: isCallers ? undefined : firstModernRevision }, modernSession);
  const result = await resultOf(reply, idOf(message), maxBytes);
  return result === undefined ? undefined : { session: modernSession, ...saidIn(result) };
}

type Json = Record<string, unknown>;

/** @returns `undefined` where it is refused, as servers do that do not know the method or the revision */
async function resultOf(reply: Reply, id: string | number | null, maxBytes: number): Promise<Json | undefined> {
  const { status } = reply;
  if (status === 400 || status === 404 || status === 405 || status === 422) {
    drop(reply);
    return undefined;
  }
  if (status >= 300) {
    drop(reply);
    throw new GatewayError('upstream_failed', { detail: `status ${status}` });
  }
  const answer = await readAnswer(reply, id, maxBytes);
  const message: unknown = answer === undefined ? undefined : JSON.parse(answer);
  return isObject(message) && isObject(message['result']) ? message['result'] : undefined;
}

function saidIn({ capabilities, instructions }: Json): Pick<OpenedMember, 'capabilities' | 'instructions'> {
  return { capabilities: isObject(capabilities) ? capabilities : {}, instructions: typeof instructions === 'string' ? instructions : undefined };
}

function idOf(text: string): string | number | null {
  const { id } = JSON.parse(text) as { id?: unknown };
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
