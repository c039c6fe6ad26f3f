import type { AccessToken, FetchTokens } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { DPoPKey } from '@gatehouse/oauth-client';
import { digestOf } from './digest-of.ts';
import type { ExchangeConfig } from './exchange-config.ts';
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
  let key: DPoPKey | undefined;
  const exchange = (subject: AccessToken, { tokens, refused }: SubjectContext): AccessToken | Promise<AccessToken> => {
    if (tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'no token can be fetched from here' });
    return tokens.ofExchange(name, subject, (fetch: FetchTokens) => requestExchange(config, subject.value, fetch, isBound ? (key ??= new DPoPKey()) : undefined), refused);
  };
  return {
    wouldCall: describe(config),
    obtain: (context) => {
      const subject = subjectTokenOf(config.subject, login, context);
      return subject instanceof Promise ? subject.then((obtained) => exchange(obtained, context)) : subject && exchange(subject, context);
    },
  };
}

function describe({ tokenUrl, subject, grant, target, audience }: ExchangeConfig): string {
  const first = `POST ${originAndPath(tokenUrl)}, with ${subject === undefined ? 'the token that the caller has' : subjectNames[subject]}`;
  if (grant !== 'id-jag') return first;
  return `${first}; then POST ${target?.tokenUrl === undefined ? `the token endpoint of ${audience ?? ''}` : originAndPath(target.tokenUrl)}`;
}
