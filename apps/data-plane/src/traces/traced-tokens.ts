import type { AccessToken, ConnectingServer, FetchTokens, LoginOwner, LoginTokenKind, RefusedToken, TokenSource, TokenSubject, TraceRequest } from '@gatehouse/access-tokens';
import type { Span } from '@gatehouse/service-runtime';
import type { CallTrace } from './call-trace.ts';
import { errorType } from './describe-spans.ts';

/** The tokens that there are, for one call: what has to be asked for is a part of its trace. Of several calls that wait for one token, the first one's. */
export class TracedTokens implements TokenSource {
  readonly #tokens: TokenSource;
  readonly #trace: CallTrace;

  constructor(tokens: TokenSource, trace: CallTrace) {
    this.#tokens = tokens;
    this.#trace = trace;
  }

  ofConnection(server: ConnectingServer, subject: TokenSubject, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    return this.#tokens.ofConnection(server, subject, refused, this.#toBroker);
  }

  ofLogin(server: ConnectingServer, whose: LoginOwner, kind: LoginTokenKind, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    return this.#tokens.ofLogin(server, whose, kind, refused, this.#toBroker);
  }

  ofCredential(server: ConnectingServer, subject: TokenSubject, credential: string, refused?: RefusedToken, isOptional?: boolean): AccessToken | Promise<AccessToken> {
    return this.#tokens.ofCredential(server, subject, credential, refused, isOptional, this.#toBroker);
  }

  ofClient(client: string, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    return this.#tokens.ofClient(client, (fetch) => obtain(this.#atProvider(fetch)), refused);
  }

  ofExchange(exchange: string, subject: AccessToken, obtain: (fetch: FetchTokens) => Promise<AccessToken>, refused?: RefusedToken): AccessToken | Promise<AccessToken> {
    return this.#tokens.ofExchange(exchange, subject, (fetch) => obtain(this.#atProvider(fetch)), refused);
  }

  /** Our own control plane goes on with the trace. */
  readonly #toBroker: TraceRequest = (url, send) =>
    this.#request('POST', url, (span) => send([['traceparent', span.traceparent]]));

  /** Others are not told of it. */
  #atProvider(fetch: FetchTokens): FetchTokens {
    return (url, init) => this.#request(init.method ?? 'GET', new URL(url), () => fetch(url, init));
  }

  async #request<T extends { readonly status: number }>(method: string, { hostname, port, protocol, pathname }: URL, send: (span: Span) => Promise<T>): Promise<T> {
    const { tracer, span: call } = this.#trace;
    const span = tracer.child(call, 'client', method);
    if (!span.isSampled) return send(span);
    span.set('http.request.method', method);
    span.set('server.address', hostname);
    span.set('server.port', Number(port) || (protocol === 'https:' ? 443 : 80));
    // Of the configuration, and nobody's id: tokens have endpoints.
    span.set('url.path', pathname);
    try {
      const answer = await send(span);
      span.set('http.response.status_code', answer.status);
      if (answer.status >= 400) span.fail(String(answer.status));
      return answer;
    } catch (error) {
      span.fail(errorType(error));
      throw error;
    } finally {
      span.end(tracer.now());
    }
  }
}
