import type { AccessToken, FetchTokens } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { DPoPKey, OAuthFailure } from '@gatehouse/oauth-client';
import { prepareClientToken } from './client-token.ts';
import { digestOf } from './digest-of.ts';
import type { ExchangeConfig } from './exchange-config.ts';
import { rememberTokenUrl } from './remember-token-url.ts';
import { requestExchange } from './request-exchange.ts';
import { type SubjectContext, subjectNames, subjectTokenOf } from './subject-token.ts';
import { originAndPath } from './would-call.ts';

/** An exchange compiled from its configuration, once per revision. */
export interface PreparedExchange {
  /** For people: what is asked for a token that is not at hand. */
  readonly wouldCall: string;
  /**
   * The token for whoever calls, or nothing where the caller has none that could be exchanged.
   * @throws ConnectError, GatewayError
   */
  readonly obtain: (context: SubjectContext) => AccessToken | Promise<AccessToken> | undefined;
}

/** @param isBound its tokens are to be bound to a key, where the provider does that (RFC 9449) */
export function prepareExchange(config: ExchangeConfig, isBound = false): PreparedExchange {
  // Whatever is another, its tokens are others; servers with the same configuration share them, per subject token.
  const name = digestOf(config);
  const login = config.grant === 'id-jag' ? 'id-token' : 'access-token';
  const { tokenUrl, clientId, clientSecret, privateKey, clientAuth, audience = '' } = config;
  const own = prepareClientToken({ tokenUrl, clientId, clientSecret, privateKey, clientAuth });
  const targetTokenUrl = rememberTokenUrl(audience);
  let key: DPoPKey | undefined;
  const exchange = (subject: AccessToken, { tokens, refused }: SubjectContext): AccessToken | Promise<AccessToken> => {
    if (tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'no token can be fetched from here' });
    const request = (fetch: FetchTokens): Promise<AccessToken> => {
      if (isBound) key ??= new DPoPKey();
      return requestExchange(config, subject.value, { fetch, key, ownToken: (of) => own.obtain(tokens, of), targetTokenUrl });
    };
    return tokens.ofExchange(name, subject, request, refused);
  };
  const exchangeOrAnother = (subject: AccessToken, context: SubjectContext): AccessToken | Promise<AccessToken> => {
    const exchanged = exchange(subject, context);
    if (!(exchanged instanceof Promise) || !isOfLogin(subject)) return exchanged;
    return exchanged.catch(async (error: unknown) => {
      const another = isRefusedSubject(error) ? await anotherSubject(subject, context) : undefined;
      if (another === undefined) throw error;
      return exchange(another, context);
    });
  };
  /** Once, and nothing where there is no other: then what the provider said is what there is to say. */
  const anotherSubject = async (token: AccessToken, context: SubjectContext): Promise<AccessToken | undefined> => {
    const another = await (async () => subjectTokenOf(config.subject, login, { ...context, refused: { token, again: false } }))().catch(() => undefined);
    return another?.value.reveal() === token.value.reveal() ? undefined : another;
  };
  return {
    wouldCall: describe(config),
    obtain: (context) => {
      const subject = subjectTokenOf(config.subject, login, context);
      return subject instanceof Promise ? subject.then((obtained) => exchangeOrAnother(obtained, context)) : subject && exchangeOrAnother(subject, context);
    },
  };
}

/** What a caller came with, only the caller can bring another of. */
const isOfLogin = ({ subjects }: AccessToken): boolean => subjects.length > 0;

/**
 * RFC 6749 section 5.2: it was revoked, or has expired by the provider's clock; or it is not for this client, which another one would not be
 * either. RFC 8693 section 2.2.2 has one code for that and for every mistake in our configuration: it counts where the provider's words say
 * which. Otherwise everyone who calls a server with such a mistake would have their login refreshed each minute, which helps nobody.
 */
function isRefusedSubject(error: unknown): boolean {
  if (!(error instanceof GatewayError) || !(error.cause instanceof OAuthFailure)) return false;
  const { error: code, kind } = error.cause;
  return code === 'invalid_grant' || (code === 'invalid_request' && kind === 'refused');
}

function describe({ tokenUrl, subject, grant, target, audience }: ExchangeConfig): string {
  const first = `POST ${originAndPath(tokenUrl)}, with ${subject === undefined ? 'the token that the caller has' : subjectNames[subject]}`;
  if (grant !== 'id-jag') return first;
  return `${first}; then POST ${target?.tokenUrl === undefined ? `the token endpoint of ${audience ?? ''}` : originAndPath(target.tokenUrl)}`;
}
