import { type Credential, signaturesOf } from '@gatehouse/app-auth';
import { guardedFetch, type OriginPools, RedirectError } from '@gatehouse/egress';
import type { UpstreamServerDocument } from '@gatehouse/gateway-config';
import { version } from '@gatehouse/service-runtime';
import { countValues } from './count-values.ts';
import type { Mask } from './mask-secrets.ts';
import { networkFailure } from './network-steps.ts';
import { StepFailure } from './step-failure.ts';
import { withCredentials } from './with-credentials.ts';

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
  readonly server: Pick<UpstreamServerDocument, 'appAuth' | 'outboundHeaders'>;
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
    let response = await this.#send(url, { ...init, headers });
    // As data planes do: what a signature has to hold the upstream says with its first answer (RFC 9449 section 9).
    if (this.#learn(url, response) && response.status === 401) {
      await response.body?.cancel();
      response = await this.#send(url, { ...init, headers });
    }
    const { status } = response;
    if (response.ok && (status === 202 || status === 204 || isMcp(response))) return withinBounds(response, exchange);
    if (exchange.httpMethod === 'DELETE') return response;
    const text = await response.text();
    const says = quote(text, this.#options.mask);
    if (status === 401 || status === 403) throw refusal(response, says, this.#options.server);
    exchange.failure = notMcp(response, says, { isWebPage: isHtml(response, text), mask: this.#options.mask });
    return new Response(text, { status, headers: response.headers });
  }

  #learn(url: URL, { headers }: Response): boolean {
    const nonce = headers.get('dpop-nonce');
    const signatures = signaturesOf(this.#options.credentials)?.filter(({ learn }) => learn !== undefined) ?? [];
    if (nonce !== null) for (const { learn } of signatures) learn?.(url.href, { 'dpop-nonce': nonce });
    return nonce !== null && signatures.length > 0;
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

function refusal(response: Response, says: string, server: UpstreamExchangesOptions['server']): StepFailure {
  const scheme = /^[A-Za-z][A-Za-z0-9-]{0,30}/.exec(response.headers.get('www-authenticate') ?? '')?.[0];
  const asks = scheme ? `, asking for ${scheme} credentials` : '';
  return new StepFailure('upstream_rejected_credentials', `The upstream answered HTTP ${response.status}${asks}.${says}`, refusalAdvice(response, server));
}

function refusalAdvice(response: Response, { appAuth: { type }, outboundHeaders = [] }: UpstreamExchangesOptions['server']): string {
  const outbound = outboundHeaders.map(({ name }) => name).join(', ');
  const isOAuth = /resource_metadata=/i.test(response.headers.get('www-authenticate') ?? '');
  if (type === 'passthrough') return 'appAuth is passthrough: callers bring their own credentials, and a test has none. This is no fault of the configuration.';
  if (type === 'none') {
    if (outbound !== '') return `appAuth is none, and what outboundHeaders sets (${outbound}) is not what the upstream wants: check its value, or choose the type of appAuth that it expects.`;
    return `appAuth is none, and the upstream wants credentials${isOAuth ? ', by OAuth' : ''}: choose the type of appAuth that it expects.`;
  }
  const also = outbound === '' ? '' : `, and what outboundHeaders sets (${outbound})`;
  return response.status === 403
    ? `The credential of appAuth (${type}) may not do this: check what it is allowed at the upstream${also}.`
    : `Check the credential of appAuth (${type})${also}: it may be wrong, expired, or expected in another place.`;
}

const isHtml = (response: Response, text: string): boolean => mediaType(response).includes('html') || /^\s*<(!doctype|html)/i.test(text);

function notMcp(response: Response, says: string, { isWebPage, mask }: { readonly isWebPage: boolean; readonly mask: Mask }): StepFailure {
  const type = mask(mediaType(response), 100).slice(0, 100) || 'no content type';
  const what = isWebPage ? 'a web page (HTML) instead of MCP' : isMcp(response) ? 'an error' : `${type} instead of MCP`;
  const advice = isWebPage
    ? 'The upstream URL seems to be a web site. Use the URL of its MCP endpoint, which often ends in /mcp.'
    : 'Check that the upstream URL is the one of the MCP endpoint, that upstream.transport is right, and the upstream’s own log.';
  return new StepFailure('upstream_not_mcp', `The upstream answered HTTP ${response.status} with ${what}.${says}`, advice);
}

/** Of one answer. A thousand tools, each with a schema of a page. */
const maxValues = 100_000;

/**
 * The answer, which breaks off where it is made of more than any upstream means: the client looks at every value, and names
 * each that is wrong, which for the millions that fit into an answer takes half a minute without a pause.
 */
function withinBounds(response: Response, exchange: Exchange): Response {
  if (response.body === null) return response;
  const values = countValues();
  const bounded = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      if (values(chunk) <= maxValues) return controller.enqueue(chunk);
      exchange.failure = new StepFailure('upstream_failed', `The answer to ${exchange.rpcMethod ?? 'the connection'} holds more than ${maxValues} values.`, 'Check that the upstream URL is the one of its MCP endpoint, and that the upstream lists what it has page by page.');
      return controller.error(exchange.failure);
    },
  });
  return new Response(response.body.pipeThrough(bounded), { status: response.status, headers: response.headers });
}

const maxQuote = 200;
/** What of an answer is looked at: the title of a page and the sentence of an error stand at its beginning. */
const maxLookedAt = 8_192;

/** What the upstream said: masked first and shortened last, so that neither taking out markup nor cutting leaves half of a secret. */
export function quote(text: string, mask: Mask): string {
  const masked = mask(text, maxLookedAt);
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  const plain = (titleOf(masked) ?? withoutMarkup(masked)).replace(/[\x00-\x1f\x7f\s]+/g, ' ').trim();
  if (plain === '') return '';
  return ` It says: “${plain.length > maxQuote ? `${plain.slice(0, maxQuote)}…` : plain}”`;
}

/** By `indexOf`, as is what follows: a pattern for it would be tried anew from every `<` to the end. */
function titleOf(html: string): string | undefined {
  const start = html.search(/<title/i);
  const from = html.indexOf('>', start) + 1;
  const to = html.indexOf('<', from);
  if (start === -1 || from === 0 || to === -1) return undefined;
  return /^<\/title>/i.test(html.slice(to, to + 8)) ? html.slice(from, to) : undefined;
}

function withoutMarkup(html: string): string {
  let plain = '';
  let at = 0;
  for (let open = html.indexOf('<'); open !== -1; open = html.indexOf('<', at)) {
    const close = html.indexOf('>', open);
    if (close === -1) break;
    plain += `${html.slice(at, open)} `;
    at = close + 1;
  }
  return plain + html.slice(at);
}
