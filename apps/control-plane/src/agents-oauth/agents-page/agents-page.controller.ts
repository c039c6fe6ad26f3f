import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { Body, Controller, Get, HttpCode, Inject, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { isCrossSite } from '../../http/cross-site.ts';
import { formField } from '../../http/form-body.ts';
import { Public } from '../../http/public.ts';
import { type BrowserSession, BrowserSessions } from '../../identity/browser-sessions.service.ts';
import { LoginBrowser } from '../../identity/login/login-browser.ts';
import { PageFilter } from '../../pages/page.filter.ts';
import { pageHeaders } from '../../pages/render-page.ts';
import { AgentGrants } from '../agent-grants.service.ts';
import { agentsPage, agentsPath } from './agents-page.ts';

/** Where people see what they allowed agents, and take it back: without the console, and without a program. */
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
@Controller('me/agents')
export class AgentsPageController {
  readonly #grants: AgentGrants;
  readonly #sessions: BrowserSessions;
  readonly #controlPlaneUrl: string;

  constructor(grants: AgentGrants, sessions: BrowserSessions, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#grants = grants;
    this.#sessions = sessions;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const session = await this.#sessions.current(request);
    if (session === undefined) return void reply.header('Cache-Control', 'no-store').redirect(this.#sessions.loginPath(agentsPath), 303);
    const browser = this.#browser(request);
    const grants = await this.#grants.list(session.person.id);
    void reply.headers(pageHeaders()).header('Set-Cookie', browser.cookie).send(agentsPage({ person: session.person, grants, formToken: formToken(browser, session) }));
  }

  @Post()
  @HttpCode(200)
  async end(@Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const session = await this.#sessions.current(request);
    const expected = session && formToken(this.#browser(request), session);
    if (session === undefined || expected === undefined || isCrossSite(request, this.#controlPlaneUrl) || !equals(formField(body, 'form_token'), expected)) throw new GatewayError('cross_site_request');
    const { id, name } = session.person;
    const actor = { name: `person:${id}`, displayName: name, attempt: undefined };
    const grant = formField(body, 'grant');
    // One that is gone already is what was wanted.
    await (grant === 'all' ? this.#grants.revokeAll(id, actor) : this.#grants.revoke(id, grant, actor));
    return void reply.header('Cache-Control', 'no-store').redirect(agentsPath, 303);
  }

  #browser(request: FastifyRequest): LoginBrowser {
    return new LoginBrowser(request, this.#controlPlaneUrl.startsWith('https:'));
  }
}

/** Of this person's page in this browser. */
const formToken = (browser: LoginBrowser, { sessionId }: BrowserSession): string => browser.derive('form', `agents ${sessionId}`);

function equals(sent: string, expected: string): boolean {
  const [a, b] = [Buffer.from(sent), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
