import { GatewayError } from '@gatehouse/errors';
import { readEnvelopes } from '@gatehouse/mcp-protocol';
import type { UpstreamResponse } from '../../pipeline/request.ts';
import { discard, isJson } from '../answers.ts';
import { readMessages } from '../read-messages.ts';

export interface Refusal {
  readonly error: GatewayError;
  /** The upstream's own JSON-RPC error, where it gave one. */
  readonly text: string | undefined;
}

/** Why an upstream did not take a message, from an answer that says so with its status. */
export async function readRefusal(response: UpstreamResponse, hasSession: boolean, maxLength: number): Promise<Refusal> {
  const { status, body } = response;
  if (status === 401) return refuse(response, 'upstream_rejected_credentials');
  if (status >= 300 && status < 400) return refuse(response, 'upstream_redirected');
  // A session that the upstream no longer knows is over for the caller as well.
  if (status === 404 && hasSession) return refuse(response, 'session_not_found');
  if (!isJson(response)) return refuse(response, 'upstream_failed');
  let text = '';
  await readMessages({ ...response, body }, maxLength, (document) => {
    text = document;
    return true;
  });
  const [envelope] = readEnvelopes(text) ?? [];
  const isError = envelope?.kind === 'response' && envelope.isError;
  return { error: new GatewayError('upstream_failed', { detail: `status ${status}` }), text: isError ? text : undefined };
}

function refuse({ status, body }: UpstreamResponse, code: 'upstream_rejected_credentials' | 'upstream_redirected' | 'session_not_found' | 'upstream_failed'): Refusal {
  discard(body);
  return { error: new GatewayError(code, { detail: `status ${status}` }), text: undefined };
}
