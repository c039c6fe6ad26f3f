import type { Credential } from '@gatehouse/app-auth';
import { guardedFetch, type OriginPools, RedirectError } from '@gatehouse/egress';
import { version } from '@gatehouse/service-runtime';
import { withCredentials } from './with-credentials.ts';
import type { Mask } from './mask-secrets.ts';
import { networkFailure } from './network-steps.ts';
import { StepFailure } from './step-failure.ts';

/** One request of a probe and what came of it. */
export interface Exchange {
  readonly httpMethod: string;
  /** The JSON-RPC method, where the request has one. */
  readonly rpcMethod: string | undefined;
  durationMs: number;
  /** Why its answer is not what MCP expects. The client may still make something of it: legacy servers refuse what they do not know. */
  failure?: StepFailure;
}

export interface UpstreamExchangesOptions {
  readonly pools: OriginPools;
  readonly url: URL;
  readonly appAuthType: string;
  readonly credentials: readonly Credential[];
  /** To the first byte of an answer, and between two pieces of it. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly mask: Mask;
}

type FetchMcp = (input: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * The `fetch` of a probe's MCP client: through the guard, with the server's credentials, to the server's origin only, along
 * the redirects that the data plane follows too. Keeps what happened, because the client's errors do not say.
 */
export class UpstreamExchanges {
  readonly #exchanges: Exchange[] = [];
  readonly #options: UpstreamExchangesOptions;
  readonly #send: FetchMcp;

  constructor(options: UpstreamExchangesOptions) {
    this.#options = options;
    const { pools, url, credentials, timeoutMs, maxResponseBytes } = options;
    const timeouts = { headersMs: timeoutMs, bodyMs: timeoutMs };
    this.#send = guardedFetch(pools, { timeouts, maxResponseBytes, redirectScope: url.href, finish: (target) => withCredentials(target, credentials) });
  }

  /** The last request that carried a message of the given method, or of any. */
  last(rpcMethod?: string): Exchange | undefined {
    return this.#exchanges.findLast((exchange) => (rpcMethod === undefined ? exchange.rpcMethod !== undefined : exchange.rpcMethod === rpcMethod));
  }

  /** The request that opened a stream, as HTTP+SSE begins. */
  get stream(): Exchange | undefined {
    return this.#exchanges.findLast(({ httpMethod }) => httpMethod === 'GET');
  }

  readonly fetch: FetchMcp = async (input, init) => {
    const startedAt = performance.now();
    const exchange: Exchange = { httpMethod: init?.method ?? 'GET', rpcMethod: rpcMethodOf(init?.body), durationMs: 0 };
    this.#exchanges.push(exchange);
    try {
      return await this.#exchange(exchange, new URL(input), init);
    } catch (error) {
      // The client gave up, which says nothing of the upstream.
      init?.signal?.throwIfAborted();
      exchange.failure = error instanceof RedirectError ? redirection(error) : networkFailure(error);
      throw exchange.failure;
    } finally {
      exchange.durationMs = performance.now() - startedAt;
    }
  };

  async #exchange(exchange: Exchange, url: URL, init: RequestInit | undefined): Promise<Response> {
    if (url.origin !== this.#options.url.origin) throw new StepFailure('upstream_redirected', `The upstream names an endpoint at ${url.origin}.`, elsewhere);
    const headers = new Headers(init?.headers);
    headers.set('User-Agent', `gatehouse/${version}`);
    const response = await this.#send(url, { ...init, headers });
    const { status } = response;
    if (response.ok && (status === 202 || status === 204 || isMcp(response))) return response;
    if (exchange.httpMethod === 'DELETE') return response;
    const text = await response.text();
    const says = quote(text, this.#options.mask);
    if (status === 401 || status === 403) throw refusal(response, says, this.#options.appAuthType);
    exchange.failure = notMcp(response, says, isHtml(response, text));
    return new Response(text, { status, headers: response.headers });
  }
}

function rpcMethodOf(body: RequestInit['body'] | undefined): string | undefined {
  if (typeof body !== 'string') return undefined;
  return (JSON.parse(body) as { method?: string }).method;
}

const mediaType = (response: Response): string => (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
const isMcp = (response: Response): boolean => ['application/json', 'text/event-stream'].includes(mediaType(response));

const elsewhere = 'Nothing of a request goes beyond the configured URL, because credentials must not go elsewhere. If the target is the right place, use it as upstream URL; if it is a login page, the upstream wants other credentials.';

function redirection(error: RedirectError): StepFailure {
  const isElsewhere = error.reason === 'other_origin' || error.reason === 'outside_base_path';
  const advice = isElsewhere ? elsewhere : 'Use the URL that it leads to as upstream URL, without the redirect; otherwise see the upstream’s own log.';
  return new StepFailure(error.code, error.publicDetail, advice, error);
}

function refusal(response: Response, says: string, appAuthType: string): StepFailure {
  const scheme = /^[A-Za-z][A-Za-z0-9-]{0,30}/.exec(response.headers.get('www-authenticate') ?? '')?.[0];
  const asks = scheme ? `, asking for ${scheme} credentials` : '';
  return new StepFailure('upstream_rejected_credentials', `The upstream answered HTTP ${response.status}${asks}.${says}`, refusalAdvice(response, appAuthType));
}

function refusalAdvice(response: Response, appAuthType: string): string {
  const isOAuth = /resource_metadata=/i.test(response.headers.get('www-authenticate') ?? '');
  if (appAuthType === 'passthrough') return 'appAuth is passthrough: callers bring their own credentials, and a test has none. This is no fault of the configuration.';
  if (appAuthType === 'none') {
    return `appAuth is none, and the upstream wants credentials${isOAuth ? ', by OAuth' : ''}: choose the type of appAuth that it expects.`;
  }
  return response.status === 403
    ? `The credential of appAuth (${appAuthType}) may not do this: check what it is allowed at the upstream.`
    : `Check the credential of appAuth (${appAuthType}): it may be wrong, expired, or expected in another place.`;
}

const isHtml = (response: Response, text: string): boolean => mediaType(response).includes('html') || /^\s*<(!doctype|html)/i.test(text);

function notMcp(response: Response, says: string, isWebPage: boolean): StepFailure {
  const type = mediaType(response).slice(0, 100) || 'no content type';
  const what = isWebPage ? 'a web page (HTML) instead of MCP' : isMcp(response) ? 'an error' : `${type} instead of MCP`;
  const advice = isWebPage
    ? 'The upstream URL seems to be a web site. Use the URL of its MCP endpoint, which often ends in /mcp.'
    : 'Check that the upstream URL is the one of the MCP endpoint, that upstream.transport is right, and the upstream’s own log.';
  return new StepFailure('upstream_not_mcp', `The upstream answered HTTP ${response.status} with ${what}.${says}`, advice);
}

const maxQuote = 200;

/** What the upstream said: without markup, masked, and only then shortened, so that no half of a secret is left. */
export function quote(text: string, mask: Mask): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1];
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  const plain = mask(title ?? text.replace(/<[^>]*>/g, ' ')).replace(/[\x00-\x1f\x7f\s]+/g, ' ').trim();
  if (plain === '') return '';
  return ` It says: “${plain.length > maxQuote ? `${plain.slice(0, maxQuote)}…` : plain}”`;
}
