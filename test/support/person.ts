import type { Browser, BrowserContext, Page } from 'playwright-core';

/** What someone types where a page asks who they are. */
export interface Account {
  /** Of an account of the gateway, or the login at a provider. */
  readonly login: string;
  readonly password?: string;
}

/** What became of a login that was begun. */
export interface Visit {
  /** Headings of the pages that had something to decide or to type, in order. */
  readonly pages: readonly string[];
  /** Where the browser ended up. */
  readonly url: URL;
  readonly text: string;
}

const agree = 'button[name=decision][value=allow]';
const refused = 'button[name=decision][value=deny]';
const connect = 'form[action="/connect"] button';
const loginField = 'input[name=email], input[name=login]';
const passwordField = 'input[name=password]';
const maxPages = 8;

/** Someone at a browser of their own, who reads what is on the page, agrees, and logs in; where that is not enough, they go back. */
export class Person {
  readonly account: Account;
  readonly #context: BrowserContext;
  readonly #logins: readonly string[];

  private constructor(account: Account, context: BrowserContext, logins: readonly string[]) {
    this.account = account;
    this.#context = context;
    this.#logins = logins;
  }

  /** @param logins where pages of a login come from: elsewhere it is over */
  static async sitDown(browser: Browser, account: Account, logins: readonly string[]): Promise<Person> {
    return new Person(account, await browser.newContext(), logins.map((url) => new URL(url).origin));
  }

  /**
   * Goes where a client asks them to, until the client has them back, an account is connected or a page lets them go no further.
   * @param account at another provider, where people may be called otherwise
   */
  async open(url: string | URL, account = this.account): Promise<Visit> {
    const page = await this.#context.newPage();
    const pages: string[] = [];
    try {
      await page.goto(String(url));
      while (pages.length < maxPages && (await this.#needsAnswer(page))) {
        pages.push(await page.locator('h1').innerText());
        if (!(await this.#answer(page, account))) break;
      }
      return { pages, url: new URL(page.url()), text: await page.locator('body').innerText() };
    } finally {
      leaveTab(page);
    }
  }

  /** Sets the password by the link that they were given, which logs them in. @returns where that leads */
  async accept(link: string): Promise<URL> {
    const page = await this.#context.newPage();
    try {
      await page.goto(link);
      await this.#answer(page, this.account);
      await page.waitForURL(({ pathname }) => !pathname.startsWith('/login'), { waitUntil: 'commit' });
      return new URL(page.url());
    } finally {
      leaveTab(page);
    }
  }

  /** What a page of the gateway does for them, such as the console. */
  async request(method: string, url: string | URL): Promise<{ readonly status: number; readonly text: string }> {
    const response = await this.#context.request.fetch(String(url), { method, headers: { 'X-Gatehouse-CSRF': '1' } });
    return { status: response.status(), text: await response.text() };
  }

  async leave(): Promise<void> {
    await this.#context.close();
  }

  /** Some pages lead on by themselves: waits for one that does not, or for the end. */
  async #needsAnswer(page: Page): Promise<boolean> {
    const question = page.locator([agree, refused, connect, loginField, passwordField].join(', ')).first();
    const isOver = ({ origin, pathname }: URL): boolean => !this.#logins.includes(origin) || pathname.startsWith('/connect/done/');
    return Promise.race([question.waitFor().then(() => true), page.waitForURL(isOver, { waitUntil: 'commit' }).then(() => false)]);
  }

  /** @returns false where there is nothing to do but to give up */
  async #answer(page: Page, account: Account): Promise<boolean> {
    const has = async (selector: string): Promise<boolean> => (await page.locator(selector).count()) > 0;
    for (const button of [agree, refused, connect]) if (await has(button)) return this.#press(page, button);
    if (!(await has(loginField))) return false;
    const field = page.locator(loginField);
    if (await field.isEditable()) await field.fill(account.login);
    if (await has(passwordField)) await page.locator(passwordField).fill(account.password ?? '');
    return this.#press(page, 'form button');
  }

  async #press(page: Page, button: string): Promise<true> {
    // Until the page that was answered is gone: what comes next must not be taken for it.
    const isGone = page.waitForEvent('framenavigated', { predicate: (frame) => frame === page.mainFrame() });
    await Promise.all([isGone, page.locator(button).first().click()]);
    return true;
  }
}

/** Not waited for: Chromium sometimes does not answer to closing a page that is just being replaced. It is gone with the context. */
function leaveTab(page: Page): void {
  page.close().catch(() => undefined);
}
