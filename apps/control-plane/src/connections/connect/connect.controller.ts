import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import { isUuid } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { isCrossSite } from '../../http/cross-site.ts';
import { formField } from '../../http/form-body.ts';
import { Public } from '../../http/public.ts';
import { type BrowserSession, BrowserSessions } from '../../identity/browser-sessions.service.ts';
import { LoginBrowser } from '../../identity/login/login-browser.ts';
import { highestRole, isAtLeast, type Person } from '../../identity/person.ts';
import { PageFilter } from '../../pages/page.filter.ts';
import { pageHeaders } from '../../pages/render-page.ts';
import type { ConnectLink, CredentialLink } from '../connect-links.service.ts';
import { listConnections } from '../connections.store.ts';
import { presentConnection } from '../present-connection.ts';
import { ConnectFlows } from './connect-flows.service.ts';
import { donePage, onwardPage, questionPage, refusalPage, statusOf } from './connect-pages.ts';
import { ConnectRefusal, type RefusalReason } from './connect-refusal.ts';
import { credentialPage, enteredPage } from './credential-pages.ts';
import { EnterCredentials, enteredValue } from './enter-credentials.service.ts';

/** For these another account may help. */
const accountReasons: ReadonlySet<RefusalReason> = new Set(['other_person', 'not_an_administrator']);

/** The pages between a connect link and a connection. */
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
@Controller('connect')
export class ConnectController {
  readonly #flows: ConnectFlows;
  readonly #credentials: EnterCredentials;
  readonly #sessions: BrowserSessions;
  readonly #database: Database;
  readonly #controlPlaneUrl: string;
  readonly #logger: Logger;

  constructor(
    flows: ConnectFlows, credentials: EnterCredentials, sessions: BrowserSessions, database: Database, @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(loggerToken) logger: Logger,
  ) {
    this.#flows = flows;
    this.#credentials = credentials;
    this.#sessions = sessions;
    this.#database = database;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
    this.#logger = logger;
  }

  /** Uses nothing up, whoever opens it: chats look at links before people do. */
  @Get()
  async show(@Query('link') sent: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const text = typeof sent === 'string' ? sent : '';
    await this.#refusing(request, reply, linkPath(text), async () => {
      const link = await this.#flows.read(text);
      const session = await this.#sessions.current(request);
      if (!session) return redirect(reply, this.#sessions.loginPath(linkPath(text)));
      const browser = this.#browser(request);
      if (link.ownerKind === 'credential') return this.#askForCredential(link, text, session.person, browser, reply);
      const question = await this.#flows.ask(link, session.person);
      void reply.header('Set-Cookie', browser.cookie);
      const otherAccountPath = this.#sessions.loginPath(linkPath(text), { fresh: 'asked' });
      return send(reply, questionPage({ question, person: session.person, formToken: formToken(browser, link, session.person), link: text, otherAccountPath }));
    });
  }

  @Post()
  @HttpCode(200)
  async begin(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const text = formField(body, 'link');
    await this.#refusing(request, reply, linkPath(text), async () => {
      const link = await this.#flows.read(text);
      const session = await this.#sessions.current(request);
      if (!session) return redirect(reply, this.#sessions.loginPath(linkPath(text)));
      const browser = this.#browser(request);
      // The token stands for the person too: a page that one person has seen is not agreed to by the next.
      if (isCrossSite(request, this.#controlPlaneUrl) || !equals(formField(body, 'form_token'), formToken(browser, link, session.person))) throw new GatewayError('cross_site_request');
      if (link.ownerKind === 'credential') return this.#enterCredential(link, text, formField(body, 'value'), session.person, browser, reply);
      const { url, title } = await this.#flows.begin(link, session.person, browser);
      void reply.header('Set-Cookie', browser.cookie);
      return send(reply, onwardPage(title, url));
    });
  }

  @Get('callback/:workspace/:app')
  finishApp(@Param('workspace') workspace: string, @Param('app') app: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#finish(`${workspace}/${app}`, request, reply);
  }

  @Get('callback/:registration')
  finishServer(@Param('registration') registration: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.#finish(registration, request, reply);
  }

  @Get('done/credential/:credential')
  async entered(@Param('credential') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const session = await this.#sessions.current(request);
    const question = session && (await this.#credentials.entered(id, session.person));
    if (!question) throw new GatewayError('not_found', { detail: 'credential' });
    return send(reply, enteredPage(question));
  }

  @Get('done/:connection')
  async done(@Param('connection') id: string, @Query('complete') complete: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const session = await this.#sessions.current(request);
    const [row] = session && isUuid(id) ? await listConnections(this.#database.sql, { id }, undefined, 1) : [];
    if (!session || !row || !maySee(session, row.personId)) throw new GatewayError('not_found', { detail: 'connection' });
    const { owner, account, scopes } = presentConnection(row);
    return send(reply, donePage({ title: owner.title, account, scopes, isComplete: complete !== 'false' }));
  }

  async #askForCredential(link: CredentialLink, text: string, person: Person, browser: LoginBrowser, reply: FastifyReply, isRefused = false): Promise<void> {
    const question = await this.#credentials.ask(link, person);
    void reply.status(isRefused ? 422 : 200).header('Set-Cookie', browser.cookie);
    return send(reply, credentialPage({ question, person, formToken: formToken(browser, link, person), link: text, isRefused }));
  }

  async #enterCredential(link: CredentialLink, text: string, sent: string, person: Person, browser: LoginBrowser, reply: FastifyReply): Promise<void> {
    const value = enteredValue(sent);
    // Nothing is used up by a slip.
    if (value === undefined) return this.#askForCredential(link, text, person, browser, reply, true);
    await this.#credentials.enter(link, person, value);
    return redirect(reply, `/connect/done/credential/${link.ownerId}`);
  }

  async #finish(place: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.#refusing(request, reply, undefined, async () => {
      const session = await this.#sessions.current(request);
      if (!session) throw new ConnectRefusal('state_unknown', { detail: 'nobody is logged in' });
      const [, query = ''] = request.url.split(/\?(.*)/s);
      const { connectionId, isComplete } = await this.#flows.finish(query, `${this.#controlPlaneUrl}/connect/callback/${place}`, session.person, this.#browser(request));
      // To another address, so that the code is not in this one, and loading the page again does no harm.
      return redirect(reply, `/connect/done/${connectionId}${isComplete ? '' : '?complete=false'}`);
    });
  }

  async #refusing(request: FastifyRequest, reply: FastifyReply, returnTo: string | undefined, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ConnectRefusal)) throw error;
      const status = statusOf(error);
      this.#logger[status >= 500 ? 'warn' : 'info']({ err: error, requestId: request.id, reason: error.reason }, 'nothing was connected');
      const otherAccountPath = returnTo !== undefined && accountReasons.has(error.reason) ? this.#sessions.loginPath(returnTo, { fresh: 'asked' }) : undefined;
      if (status === 503) void reply.header('Retry-After', '60');
      void reply.status(status);
      send(reply, refusalPage(error, otherAccountPath, request.id));
    }
  }

  #browser(request: FastifyRequest): LoginBrowser {
    return new LoginBrowser(request, this.#controlPlaneUrl.startsWith('https:'));
  }
}

const linkPath = (link: string): string => `/connect?${new URLSearchParams({ link }).toString()}`;

const formToken = (browser: LoginBrowser, { id }: ConnectLink, person: Person): string => browser.derive('form', `connect ${id} ${person.id}`);

const maySee = ({ person }: BrowserSession, personId: string | null): boolean => (personId === null ? isAtLeast(highestRole(person.roles), 'admin') : personId === person.id);

function equals(sent: string, expected: string): boolean {
  const [given, wanted] = [Buffer.from(sent), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function send(reply: FastifyReply, page: string): void {
  void reply.headers(pageHeaders()).send(page);
}

function redirect(reply: FastifyReply, url: string): void {
  void reply.header('Cache-Control', 'no-store').redirect(url, 303);
}
