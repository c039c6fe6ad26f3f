import type { Credential } from '@gatehouse/app-auth';
import type { Verdict } from '@gatehouse/header-policy';
import { credentialRule, type PreparedServer } from '@gatehouse/upstream-request';
import { explainVerdict } from './explain-verdict.ts';
import type { ExplainedRequest } from './explain-request.ts';
import type { Explanation } from './explanation.ts';
import type { GivenRequest } from './given-request.ts';
import { CallerSecrets, maskSecret, textOf } from './secret-values.ts';
import { shownUrl } from './shown-url.ts';
import { tokenFates } from './token-fates.ts';

/** What is told of an explained request: no secret among it, neither the gateway's nor the caller's. */
export function presentExplanation(given: GivenRequest, explained: ExplainedRequest, server: PreparedServer): Omit<Explanation, 'warnings' | 'assumptions'> {
  const { refusal, verdicts, credentials, headers, method, path } = explained;
  const added = headers.map(({ verdict }) => verdict).filter(({ action }) => action === 'set');
  return {
    request: refusal ? null : { method, url: shownUrl(server.upstream.origin, path, credentials), headers: shownHeaders(given, explained) },
    ...(refusal && { refused: refusal }),
    verdicts: [...verdicts, ...added].map((verdict) => ({ ...verdict, explanation: explainVerdict(verdict) })),
    credentials: credentials.flatMap((credential) =>
      locationsOf(credential).map((location) => ({
        source: sourceOf(location.in, location.name, server),
        location,
        ...wouldCallOf(credential, server),
      })),
    ),
    tokens: tokenFates(given.rows, refusal ? undefined : verdicts, server.upstream.origin),
  };
}

function shownHeaders({ rows }: GivenRequest, { headers }: ExplainedRequest): NonNullable<Explanation['request']>['headers'] {
  const callers = new CallerSecrets(rows);
  return headers.map(({ name, value, verdict }) => {
    // Never by comparison with what is stored: that would let anyone who may ask try what a stored secret is.
    const secret = isStored(verdict) || callers.has([name, verdict.name], value);
    const text = textOf(value);
    return { name, value: secret ? maskSecret(text) : text, secret };
  });
}

const locationsOf = (credential: Credential): { readonly in: 'header' | 'query'; readonly name: string }[] =>
  credential.in === 'signature' ? credential.headerNames.map((name) => ({ in: 'header', name })) : [{ in: credential.in, name: credential.name }];

const isStored = ({ action, rule }: Verdict): boolean => action === 'set' && rule !== 'protocol';

/** Of what is not at hand; what an outbound header needs, its source says. */
function wouldCallOf(credential: Credential, { appAuth, outboundHeaders }: PreparedServer): { wouldCall?: string } {
  if (credential.token === undefined) return {};
  const header = credential.in === 'header' ? outboundHeaders.find(({ name }) => name === credential.name) : undefined;
  const wouldCall = header === undefined ? appAuth.wouldCall : header.wouldCall;
  return wouldCall === undefined ? {} : { wouldCall };
}

function sourceOf(place: 'header' | 'query', name: string, server: PreparedServer): string {
  const rule = place === 'header' ? credentialRule(name, server)?.rule : undefined;
  return rule ?? `appAuth ${server.appAuth.type}`;
}
