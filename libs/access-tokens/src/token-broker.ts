import { GatewayError } from '@gatehouse/errors';
import { Secret } from '@gatehouse/sealing';
import type { AccessToken } from './access-token.ts';
import { type TokenAnswer, tokenAnswer, type TokenRequest } from './broker-messages.ts';
import { ConnectError } from './connect-error.ts';

/** Posts JSON to the broker. Rejects where no answer comes in time. */
export type PostToBroker = (body: string, trace?: TraceRequest) => Promise<{ readonly status: number; readonly body: string }>;

/** Makes a request part of a trace: `send` gets the headers that say so. */
export type TraceRequest = <T extends { readonly status: number }>(url: URL, send: (headers: readonly (readonly [name: string, value: string])[]) => Promise<T>) => Promise<T>;

/**
 * Asks the control plane for the current access token of a connection.
 * @param now milliseconds since the epoch, by the clock that the token is used by
 * @throws ConnectError, GatewayError broker_unavailable, provider_unavailable, connection_misconfigured, connection_needs_person, subject_token_missing
 */
export async function askBroker(post: PostToBroker, request: TokenRequest, now: () => number, trace?: TraceRequest): Promise<AccessToken> {
  const answer = await post(JSON.stringify(request), trace).catch((cause: unknown) => {
    throw new GatewayError('broker_unavailable', { cause });
  });
  return tokenOf(readAnswer(answer, request), request, now());
}

function readAnswer({ status, body }: { readonly status: number; readonly body: string }, { login, credential }: TokenRequest): TokenAnswer {
  if (status === 401) throw new GatewayError('broker_unavailable', { detail: 'GATEHOUSE_DATA_PLANE_TOKEN is not the one of the control plane' });
  if (status !== 200) throw new GatewayError('broker_unavailable', { detail: `status ${status}` });
  const read = tokenAnswer.safeParse(parse(body));
  // Not what was wrong with it: that may quote a token.
  if (!read.success) throw new GatewayError('broker_unavailable', { detail: 'an answer that this release does not know' });
  if (read.data.status === 'token' && (read.data.login !== login || read.data.credential !== credential)) {
    throw new GatewayError('broker_unavailable', { detail: 'the control plane is of a release that gives no tokens of logins, or no credentials' });
  }
  return read.data;
}

function tokenOf(answer: TokenAnswer, { credential }: TokenRequest, now: number): AccessToken {
  switch (answer.status) {
    case 'token': {
      const { accessToken, expiresInMs, connection, owner, person } = answer;
      // How long it lives is the same by every clock; when that is over, not.
      const expiresAt = expiresInMs === undefined ? answer.expiresAt : now + expiresInMs;
      return { value: new Secret(accessToken), expiresAt, subjects: person === undefined ? [connection, owner] : [connection, owner, person] };
    }
    case 'connect_required':
    case 'reconnect_required':
      throw new ConnectError(answer);
    case 'provider_unavailable':
      throw new GatewayError('provider_unavailable');
    case 'misconfigured':
      if (credential !== undefined) throw new GatewayError('credential_unavailable', { detail: `there is no credential ${credential} of which each person has a value` });
      throw new GatewayError('connection_misconfigured');
    case 'no_person':
      throw new GatewayError('connection_needs_person');
    case 'outdated':
      throw new GatewayError('broker_unavailable', { detail: 'the server has another upstream by now, of which this data plane has not heard yet' });
    case 'no_login':
      throw new GatewayError('subject_token_missing', { detail: 'no login of the person has tokens that are good' });
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
