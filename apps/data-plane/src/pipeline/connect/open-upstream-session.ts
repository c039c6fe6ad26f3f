import { GatewayError } from '@gatehouse/errors';
import { type LegacyClient, readEnvelopes } from '@gatehouse/mcp-protocol';
import { discard, isAccepted, isEventStream } from '../../bridges/answers.ts';
import { readMessages } from '../../bridges/read-messages.ts';
import type { UpstreamResponse } from '../request.ts';
import type { RefusedSession, UpstreamSession } from './upstream-sessions.ts';

/** Sends a message of the gateway's own, composed as the call's are. */
export type SendOwn = (message: object, session: UpstreamSession | undefined) => Promise<UpstreamResponse>;

const maxAnswerBytes = 1_048_576;
const requestId = 'gatehouse-initialize';

/**
 * Opens a session with the upstream as the client would have (MCP 2025-11-25, lifecycle): what it says of itself is what it said when
 * its own session began.
 * @throws GatewayError upstream_not_mcp, and as `send` does
 */
export async function openUpstreamSession({ protocolVersion, capabilities, clientInfo }: LegacyClient, send: SendOwn): Promise<UpstreamSession | RefusedSession> {
  const response = await send({ jsonrpc: '2.0', id: requestId, method: 'initialize', params: { protocolVersion, capabilities, clientInfo } }, undefined);
  if (!isAccepted(response)) return { refusal: response };
  const sessionId = response.headers['mcp-session-id'];
  const agreed = await readAgreedVersion(response);
  if (agreed === undefined) throw new GatewayError('upstream_not_mcp', { detail: 'initialize was not answered with a result' });
  const session = { sessionId: typeof sessionId === 'string' ? sessionId : undefined, protocolVersion: agreed };
  // Before anything else of the session: what follows must not overtake it.
  const initialized = await send({ jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  discard(initialized.body);
  return session;
}

function readAgreedVersion(response: UpstreamResponse): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onMessage = (text: string): boolean => {
      for (const envelope of readEnvelopes(text) ?? []) {
        if (envelope.kind !== 'response' || envelope.id !== requestId) continue;
        resolve(envelope.protocolVersion);
        // A stream may stay open; nothing more is expected on it.
        if (isEventStream(response)) response.body.abort();
      }
      return true;
    };
    void readMessages(response, maxAnswerBytes, onMessage).then(() => resolve(undefined));
  });
}
