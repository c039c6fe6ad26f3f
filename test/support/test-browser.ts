/** A page a browser is on: of the last answer, after redirects. */
export interface BrowserPage {
  /** As the person sees it in the address bar. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly forms: readonly PageForm[];
}

export interface PageForm {
  readonly action: URL;
  readonly method: string;
  /** Hidden fields and what is filled in already. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface TestBrowserOptions {
  /** Where a public origin really is; called for each request, so that requests can be spread over several servers. */
  readonly servers?: Readonly<Record<string, () => string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** As it was set. */
  readonly line: string;
}

const maxRedirects = 20;

/** What of a browser logging in needs: cookies by origin and path, redirects, forms. It runs no scripts. */
export class TestBrowser {
  readonly #options: TestBrowserOptions;
  readonly #cookies = new Map<string, Map<string, Cookie>>();
  /** Every URL that was asked for, in order. */
  readonly visited: string[] = [];

  constructor(options: TestBrowserOptions = {}) {
    this.#options = options;
  }

  /** Opens a URL and follows redirects, also those that a page makes by itself. */
  async open(url: string | URL): Promise<BrowserPage> {
    return this.#follow(await this.send('GET', new URL(url)), maxRedirects);
  }

  /** Opens a URL and stays at its answer. */
  visit(url: string | URL): Promise<BrowserPage> {
    return this.send('GET', new URL(url));
  }

  /** Fills in and sends a page's form (the first one), and follows. */
  async submit(page: BrowserPage, fields: Readonly<Record<string, string>> = {}): Promise<BrowserPage> {
    const [form] = page.forms;
    if (form === undefined) throw new Error(`no form at ${page.url.href}: ${page.text.slice(0, 500)}`);
    return this.#follow(await this.send(form.method, form.action, new URLSearchParams({ ...form.fields, ...fields })), maxRedirects);
  }

  async send(method: string, url: URL, body?: URLSearchParams, headers: Readonly<Record<string, string>> = {}): Promise<BrowserPage> {
    this.visited.push(url.href);
    const server = this.#options.servers?.[url.origin]?.();
    const target = server === undefined ? url : new URL(url.pathname + url.search, server);
    const cookie = this.cookieHeader(url);
    const response = await fetch(target, {
      method,
      redirect: 'manual',
      headers: { Accept: 'text/html', ...(cookie !== '' && { Cookie: cookie }), ...this.#options.headers, ...headers },
      ...(body !== undefined && { body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(url, line);
    const text = await response.text();
    return { url, status: response.status, headers: response.headers, text, forms: formsOf(text, url) };
  }

  cookieHeader(url: URL): string {
    const cookies = [...(this.#cookies.get(url.origin)?.values() ?? [])].filter(({ path }) => url.pathname.startsWith(path));
    return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** What an origin has set, as it was set. */
  cookieLines(origin: string): string[] {
    return [...(this.#cookies.get(origin)?.values() ?? [])].map(({ line }) => line);
  }

  setCookie(origin: string, name: string, value: string): void {
    this.#keep(new URL(origin), `${name}=${value}; Path=/`);
  }

  async #follow(page: BrowserPage, left: number): Promise<BrowserPage> {
    const isRedirect = page.status >= 300 && page.status < 400;
    const refresh = /<meta http-equiv="refresh" content="0; url=([^"]*)"/.exec(page.text)?.[1];
    const target = isRedirect ? page.headers.get('location') : refresh === undefined ? null : textOf(refresh);
    if (target === null) return page;
    if (left === 0) throw new Error(`too many redirects: ${this.visited.slice(-5).join(' → ')}`);
    const url = new URL(target, page.url);
    // Where nothing of ours answers, such as an application's own redirect URI, the address is all there is.
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return { ...page, url };
    return this.#follow(await this.send('GET', url), left - 1);
  }

  #keep({ origin }: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const attributeOf = (wanted: string) => attributes.find((attribute) => attribute.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const cookies = this.#cookies.get(origin) ?? new Map<string, Cookie>();
    this.#cookies.set(origin, cookies);
    const expires = attributeOf('expires');
    const isGone = attributeOf('max-age') === '0' || (expires !== undefined && new Date(expires).getTime() <= Date.now());
    const path = attributeOf('path') ?? '/';
    // Of one name there may be one for each path.
    if (isGone) cookies.delete(`${name} ${path}`);
    else cookies.set(`${name} ${path}`, { name, value, path, line });
  }
}

function formsOf(text: string, base: URL): PageForm[] {
  return [...text.matchAll(/<form([^>]*)>([^]*?)<\/form>/g)].map(([, attributes = '', content = '']) => ({
    action: new URL(attributeOf(attributes, 'action') ?? base.href, base),
    method: (attributeOf(attributes, 'method') ?? 'get').toUpperCase(),
    fields: Object.fromEntries([...content.matchAll(/<input([^>]*)>/g)].map(([, input = '']) => [attributeOf(input, 'name') ?? '', attributeOf(input, 'value') ?? ''])),
  }));
}

function attributeOf(attributes: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? undefined : textOf(value);
}

const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
const textOf = (markup: string): string => markup.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] as string);
