import { type AccessToken, ConnectError, type RefusedToken } from '@gatehouse/access-tokens';
import { type Credential, signaturesOf, type SigningCredential } from '@gatehouse/app-auth';
import { GatewayError } from '@gatehouse/errors';
import { discard } from '../bridges/answers.ts';
import { missingScopes } from './missing-scopes.ts';
import type { UpstreamResponse } from './request.ts';

type Obtain = (refused?: RefusedToken) => readonly Credential[] | Promise<readonly Credential[]>;
type Send = (credentials: readonly Credential[]) => Promise<UpstreamResponse>;

/**
 * Sends a call, and once more with another token where the upstream refuses the one that was obtained for it: a 401 is a refusal
 * before anything was done. Of stored credentials there is no other, and the caller's own is the caller's business (D8, docs/rules.md).
 * @throws ConnectError where only connecting again can help, GatewayError upstream_rejected_credentials, and as `obtain` and `send` do
 */
export function sendWithFreshTokens(obtain: Obtain, sendOnce: Send, origin: string): Promise<UpstreamResponse> {
  const send: Send = (signed) => sendProven(signed, sendOnce, origin);
  const credentials = obtain();
  // Mostly they are at hand, and a turn of the event loop costs as much as making use of them.
  return credentials instanceof Promise ? credentials.then((obtained) => sendTwice(obtained, obtain, send)) : sendTwice(credentials, obtain, send);
}

/** Nothing but a proof of a token depends on what an upstream answers: everything else is sent as it is. */
function sendProven(credentials: readonly Credential[], send: Send, origin: string): Promise<UpstreamResponse> {
  const proofs = signaturesOf(credentials)?.filter(({ learn }) => learn !== undefined);
  return proofs === undefined || proofs.length === 0 ? send(credentials) : sendWithNonce(proofs, credentials, send, origin);
}

/** An upstream that wants another proof of the same token has refused before anything was done, and says what it wants (RFC 9449 section 9). */
async function sendWithNonce(proofs: readonly SigningCredential[], credentials: readonly Credential[], send: Send, origin: string): Promise<UpstreamResponse> {
  const response = await send(credentials);
  for (const { learn } of proofs) learn?.(origin, response.headers);
  if (response.status !== 401 || !wantsNonce.test(String(response.headers['www-authenticate']))) return response;
  discard(response.body);
  return send(credentials);
}

const wantsNonce = /(?:^|[\s,])error\s*=\s*"?use_dpop_nonce\b/i;

async function sendTwice(credentials: readonly Credential[], obtain: Obtain, send: Send): Promise<UpstreamResponse> {
  const response = await send(credentials);
  const missing = missingScopes(response);
  if (missing !== undefined) return stepUp(missing, response, credentials, obtain, send);
  const refused = refusedOf(response, credentials);
  if (refused === undefined) return response;
  discard(response.body);

  const others = await obtain({ ...refused, again: false });
  const second = await send(others);
  const refusedAgain = refusedOf(second, others);
  if (refusedAgain === undefined) return second;
  discard(second.body);
  // Whoever gives tokens is told, and may know what helps.
  await obtain({ ...refusedAgain, again: true });
  throw new GatewayError('upstream_rejected_credentials', { detail: 'twice, with a new token' });
}

/**
 * A 403 that names the scopes it wants (RFC 6750 section 3.1): the person is asked for them, once. Who has agreed to them already, and
 * is refused all the same, sees what the upstream says.
 * @throws ConnectError where connecting again may help
 */
async function stepUp(missing: readonly string[], response: UpstreamResponse, credentials: readonly Credential[], obtain: Obtain, send: Send): Promise<UpstreamResponse> {
  // A token of our own has no person behind it who could agree to more.
  const token = tokenOfPerson(credentials);
  if (token === undefined) return response;
  const others = await agreedOrNot(obtain, { token, again: false, missing }, credentials).catch((error: unknown) => {
    discard(response.body);
    throw error;
  });
  const other = tokenOfPerson(others);
  if (other?.value.reveal() === token.value.reveal()) return response;
  // They have agreed meanwhile.
  discard(response.body);
  return send(others);
}

const tokenOfPerson = (credentials: readonly Credential[]): AccessToken | undefined => credentials.find(({ token }) => token !== undefined && token.subjects.length > 0)?.token;

/** Whoever cannot be asked changes nothing about what the upstream said. */
async function agreedOrNot(obtain: Obtain, refused: RefusedToken, credentials: readonly Credential[]): Promise<readonly Credential[]> {
  try {
    return await obtain(refused);
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    return credentials;
  }
}

/** Of several tokens an upstream does not say which it refuses. */
function refusedOf({ status }: UpstreamResponse, credentials: readonly Credential[]): Pick<RefusedToken, 'token' | 'others'> | undefined {
  if (status !== 401) return undefined;
  const [token, ...others] = credentials.map((credential) => credential.token).filter((token): token is AccessToken => token !== undefined);
  return token && { token, others };
}
