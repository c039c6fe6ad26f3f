import type { AccessToken, RefusedToken } from '@gatehouse/access-tokens';
import type { Credential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { discard } from '../bridges/answers.ts';
import type { UpstreamResponse } from './request.ts';

type Obtain = (refused?: RefusedToken) => readonly Credential[] | Promise<readonly Credential[]>;
type Send = (credentials: readonly Credential[]) => Promise<UpstreamResponse>;

/**
 * Sends a call, and once more with another token where the upstream refuses the one that was obtained for it: a 401 is a refusal
 * before anything was done. Of stored credentials there is no other, and the caller's own is the caller's business (D8, docs/rules.md).
 * @throws ConnectError where only connecting again can help, GatewayError upstream_rejected_credentials, and as `obtain` and `send` do
 */
export function sendWithFreshTokens(obtain: Obtain, send: Send): Promise<UpstreamResponse> {
  const credentials = obtain();
  // Mostly they are at hand, and a turn of the event loop costs as much as making use of them.
  return credentials instanceof Promise ? credentials.then((obtained) => sendTwice(obtained, obtain, send)) : sendTwice(credentials, obtain, send);
}

async function sendTwice(credentials: readonly Credential[], obtain: Obtain, send: Send): Promise<UpstreamResponse> {
  const response = await send(credentials);
  const token = refusedOf(response, credentials);
  if (token === undefined) return response;
  discard(response.body);

  const others = await obtain({ token, again: false });
  const second = await send(others);
  const other = refusedOf(second, others);
  if (other === undefined) return second;
  discard(second.body);
  // Whoever gives tokens is told, and may know what helps.
  await obtain({ token: other, again: true });
  throw new GatewayError('upstream_rejected_credentials', { detail: 'twice, with a new token' });
}

function refusedOf({ status }: UpstreamResponse, credentials: readonly Credential[]): AccessToken | undefined {
  return status === 401 ? credentials.find((credential) => credential.token !== undefined)?.token : undefined;
}
