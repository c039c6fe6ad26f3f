import type { AccessToken, TokenSource } from '@gatehouse/access-tokens';
import { AccessTokens } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import { Secret } from '@gatehouse/sealing';
import type { SubjectContext } from './subject-token.ts';

export const secondsFromNow = (seconds: number): number => Date.now() + seconds * 1000;

/** Tokens as a data plane has them, of people whose logins gave these. */
export function tokensWithLogins(logins: Readonly<Record<string, Readonly<Partial<Record<'access-token' | 'id-token', string>>>>> = {}, onFetch: (url: string) => void = () => undefined): TokenSource & Pick<AccessTokens, 'forget'> {
  return new AccessTokens({
    now: Date.now,
    fetch: (url, init) => {
      onFetch(url);
      return fetch(url, init);
    },
    post: (body) => {
      const { subject, login } = JSON.parse(body) as { subject: { person: string }; login: 'access-token' | 'id-token' };
      const accessToken = logins[subject.person]?.[login];
      const answer = accessToken === undefined ? { status: 'no_person' } : { status: 'token', login, accessToken, connection: `login-of-${subject.person}`, owner: 'corporate', person: subject.person };
      return Promise.resolve({ status: 200, body: JSON.stringify(answer) });
    },
  });
}

export const server = { id: '01919e1c-0000-7000-8000-000000000001', connectionKey: 'orders' };

/** Somebody who came with a token of another issuer. */
export function withToken(token: string, tokens: TokenSource, expiresInSeconds = 300): SubjectContext {
  const caller: Caller = { id: 'token:1', kind: 'token', name: 'ana', groups: [], subject: 'ana' };
  return { server, caller, callerToken: { value: new Secret(token), expiresAt: secondsFromNow(expiresInSeconds) }, tokens };
}

/** Somebody who logged in at the gateway. */
export function loggedIn(person: string, tokens: TokenSource): SubjectContext {
  return { server, caller: { id: `person:${person}`, kind: 'person', name: person, groups: [], subject: person }, tokens };
}

export const textOf = async (token: AccessToken | Promise<AccessToken> | undefined): Promise<string | undefined> => (await token)?.value.reveal();
export const failureOf = (obtain: () => AccessToken | Promise<AccessToken> | undefined): Promise<{ code?: string; message?: string; detail?: string; publicMessage?: string }> =>
  (async () => obtain())().then(() => ({}), (error: unknown) => error as { code?: string });
