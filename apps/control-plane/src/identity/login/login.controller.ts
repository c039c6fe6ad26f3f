import { GatewayError } from '@gatehouse/errors';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Database } from '../../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { Metrics } from '../../health/metrics.ts';
import { isCrossSite } from '../../http/cross-site.ts';
import { formField } from '../../http/form-body.ts';
import { Public } from '../../http/public.ts';
import { PageFilter } from '../../pages/page.filter.ts';
import { pageHeaders } from '../../pages/render-page.ts';
import { BrowserSessions, type LoginOptions } from '../browser-sessions.service.ts';
import { LocalLogin } from '../local/local-login.service.ts';
import { LoginLinks } from '../local/login-links.service.ts';
import { localProvider } from '../person.ts';
import { listEnabledProviders } from '../providers/identity-providers.store.ts';
import { homePath, returnPath } from '../return-path.ts';
import { LoginBrowser } from './login-browser.ts';
import { LoginLimits } from './login-limits.service.ts';
import { choosePage, continuePage, linkPage, localPage, loggedOutPage, logoutPage, missingProviderPage, noWayInPage, startPath } from './login-pages.ts';
import { ProviderLogin } from './provider-login.service.ts';

/** The pages of logging in and out. */
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
@Controller()
export class LoginController {
  readonly #database: Database;
  readonly #sessions: BrowserSessions;
  readonly #providers: ProviderLogin;
  readonly #local: LocalLogin;
  readonly #links: LoginLinks;
  readonly #limits: LoginLimits;
  readonly #logins: Metrics['logins'];
  readonly #controlPlaneUrl: string;

  constructor(
    database: Database, sessions: BrowserSessions, providers: ProviderLogin, local: LocalLogin, links: LoginLinks, limits: LoginLimits,
    { logins }: Metrics, @Inject(settingsToken) settings: ControlPlaneSettings,
  ) {
    this.#database = database;
    this.#sessions = sessions;
    this.#providers = providers;
    this.#local = local;
    this.#links = links;
    this.#limits = limits;
    this.#logins = logins;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  @Get('login')
  async login(
    @Query('return_to') sentReturn: unknown, @Query('identity_provider') asked: unknown, @Query('fresh') fresh: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply,
  ): Promise<void> {
    const returnTo = returnPath(sentReturn);
    const freshness = freshnessOf(fresh);
    const session = freshness !== undefined ? undefined : await this.#sessions.current(request);
    if (session && (asked === undefined || session.person.provider === asked)) return redirect(reply, returnTo);
    const providers = (await listEnabledProviders(this.#database.sql)).map(({ name, document }) => ({ name, title: typeof document['title'] === 'string' ? document['title'] : name }));
    if (asked === localProvider && this.#local.isOffered) return this.#showLocal(request, reply, returnTo);
    const chosen = asked === undefined ? (providers.length === 1 ? providers[0] : undefined) : providers.find(({ name }) => name === asked);
    if (chosen) return redirect(reply, startPath(chosen.name, returnTo, freshness));
    if (asked !== undefined) return send(reply.status(404), missingProviderPage());
    if (providers.length > 0) return send(reply, choosePage(providers, this.#local.isOffered, returnTo, freshness));
    if (this.#local.isOffered) return this.#showLocal(request, reply, returnTo);
    return send(reply, noWayInPage());
  }

  @Get('login/start/:provider')
  async start(@Param('provider') provider: string, @Query('return_to') sentReturn: unknown, @Query('fresh') fresh: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    this.#limits.start(request.ip);
    const browser = this.#browser(request);
    const url = await this.#providers.start(provider, browser, { returnTo: returnPath(sentReturn), fresh: freshnessOf(fresh) });
    void reply.header('Set-Cookie', browser.cookie);
    return redirect(reply, url);
  }

  @Get('login/callback/:provider')
  async callback(@Param('provider') provider: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // Not limited: it costs nothing without a state that was given out, and beginning is.
    const [, query = ''] = request.url.split(/\?(.*)/s);
    const { returnTo, cookie } = await this.#providers.finish(provider, this.#browser(request), query, request);
    this.#logins.inc({ method: 'provider' });
    void reply.header('Set-Cookie', cookie);
    return redirect(reply, returnTo);
  }

  @Get('login/local')
  showLocal(@Query('return_to') sentReturn: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    if (!this.#local.isOffered) throw new GatewayError('not_found', { detail: 'local login' });
    return this.#showLocal(request, reply, returnPath(sentReturn));
  }

  @Post('login/local')
  @HttpCode(200)
  async loginLocally(@Body() form: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const browser = this.#formBrowser(request, form);
    const returnTo = returnPath(formField(form, 'return_to'));
    const email = formField(form, 'email');
    try {
      const cookie = await this.#local.login({ email, password: formField(form, 'password'), address: request.ip }, request);
      this.#logins.inc({ method: 'password' });
      void reply.header('Set-Cookie', cookie);
      return send(reply, continuePage(returnTo));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'wrong_password') throw error;
      void reply.status(error.status);
      return send(reply, localPage({ formToken: browser.formToken, returnTo }, error.publicMessage, email));
    }
  }

  @Get('login/link')
  async showLink(@Query('token') sent: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const browser = this.#browser(request);
    const token = typeof sent === 'string' ? sent : '';
    const { email } = await this.#tried(request, () => this.#links.look(token));
    void reply.header('Set-Cookie', browser.cookie);
    return send(reply, linkPage({ formToken: browser.formToken, token, email }));
  }

  @Post('login/link')
  @HttpCode(200)
  async useLink(@Body() form: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const browser = this.#formBrowser(request, form);
    const token = formField(form, 'token');
    const sent = { email: formField(form, 'email'), password: formField(form, 'password') };
    try {
      const cookie = await this.#tried(request, () => this.#links.use(token, sent, request));
      this.#logins.inc({ method: 'link' });
      void reply.header('Set-Cookie', cookie);
      return send(reply, continuePage(homePath));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'too_many_attempts' || error.problems.length === 0) throw error;
      void reply.status(error.status);
      const { email } = await this.#links.look(token);
      return send(reply, linkPage({ formToken: browser.formToken, token, email }, error.problems, sent.email));
    }
  }

  @Get('logout')
  async showLogout(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const session = await this.#sessions.current(request);
    if (session === undefined) return send(reply, loggedOutPage());
    const browser = this.#browser(request);
    void reply.header('Set-Cookie', browser.cookie);
    return send(reply, logoutPage(browser.formToken, session.person.name));
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@Body() form: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    this.#formBrowser(request, form);
    void reply.header('Set-Cookie', await this.#database.transaction((sql) => this.#sessions.end(sql, request)));
    return send(reply, loggedOutPage());
  }

  #showLocal(request: FastifyRequest, reply: FastifyReply, returnTo: string): void {
    const browser = this.#browser(request);
    void reply.header('Set-Cookie', browser.cookie);
    return send(reply, localPage({ formToken: browser.formToken, returnTo }));
  }

  /** Links are guessed no better than passwords. */
  #tried<T>({ ip }: FastifyRequest, attempt: () => Promise<T>): Promise<T> {
    return this.#limits.guess({ address: ip }, 'login_link_invalid', attempt);
  }

  #browser(request: FastifyRequest): LoginBrowser {
    return new LoginBrowser(request, this.#controlPlaneUrl.startsWith('https:'));
  }

  /** The browser that a form was made for. @throws GatewayError cross_site_request */
  #formBrowser(request: FastifyRequest, form: unknown): LoginBrowser {
    const browser = this.#browser(request);
    if (isCrossSite(request, this.#controlPlaneUrl) || !browser.isFormToken(formField(form, 'form_token'))) throw new GatewayError('cross_site_request');
    return browser;
  }
}

function send(reply: FastifyReply, page: string): void {
  void reply.headers(pageHeaders()).send(page);
}

function redirect(reply: FastifyReply, url: string): void {
  void reply.header('Cache-Control', 'no-store').redirect(url, 303);
}

const freshnessOf = (sent: unknown): LoginOptions['fresh'] => (sent === 'asked' || sent === 'proven' ? sent : undefined);
