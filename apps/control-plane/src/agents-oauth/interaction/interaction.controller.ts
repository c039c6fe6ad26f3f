import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { isCrossSite } from '../../http/cross-site.ts';
import { formField } from '../../http/form-body.ts';
import { Public } from '../../http/public.ts';
import { BrowserSessions } from '../../identity/browser-sessions.service.ts';
import { LoginBrowser } from '../../identity/login/login-browser.ts';
import { PageFilter } from '../../pages/page.filter.ts';
import { pageHeaders } from '../../pages/render-page.ts';
import { agentsPath } from '../agents-page/agents-page.ts';
import { interactionPath } from '../provider-configuration.ts';
import { consentPage, onwardPage, refusalPage } from './interaction-pages.ts';
import { LoginFlows } from './login-flows.service.ts';

/** The pages between a client's request and its code. */
@ApiExcludeController()
@Public()
@UseFilters(PageFilter)
@Controller('oauth/interaction/:uid')
export class InteractionController {
  readonly #flows: LoginFlows;
  readonly #sessions: BrowserSessions;
  readonly #controlPlaneUrl: string;

  constructor(flows: LoginFlows, sessions: BrowserSessions, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#flows = flows;
    this.#sessions = sessions;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  @Get()
  async show(@Param('uid') uid: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const open = await this.#flows.open(uid, request, reply);
    const session = await this.#sessions.current(request);
    const next = await this.#flows.next(open, session);
    const browser = this.#browser(request);
    const form = { flow: open.flow, formToken: formToken(browser, uid, session?.person.id ?? ''), person: session?.person };
    switch (next.step) {
      case 'ask':
        return sendPage(reply, consentPage(form, this.#controlPlaneUrl + agentsPath), browser);
      case 'refuse':
        return sendPage(reply, refusalPage(form, next.why), browser);
      case 'log-in': {
        await this.#flows.note(open, { sentToLoginAt: Date.now() });
        const { identityProvider, isFresh } = next;
        return redirect(reply, this.#sessions.loginPath(interactionPath(uid), { ...(isFresh && { fresh: 'proven' }), ...(identityProvider !== undefined && { identityProvider }) }));
      }
      case 'finish':
        if (session === undefined) throw new GatewayError('login_expired');
        return redirect(reply, await this.#flows.finish(open, session));
    }
  }

  @Post()
  @HttpCode(200)
  async decide(@Param('uid') uid: string, @Body() body: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const browser = this.#browser(request);
    const person = formField(body, 'person');
    if (isCrossSite(request, this.#controlPlaneUrl) || !equals(formField(body, 'form_token'), formToken(browser, uid, person))) throw new GatewayError('cross_site_request');
    const open = await this.#flows.open(uid, request, reply);
    if (formField(body, 'decision') !== 'allow') return sendPage(reply, onwardPage(await this.#flows.deny(open)), browser);
    await this.#flows.note(open, { agreed: person === '' ? {} : { person } });
    return sendPage(reply, onwardPage(interactionPath(uid)), browser);
  }

  /** Whoever is logged in is not who wants to use the server. What they agreed to is theirs: the other one is asked. */
  @Get('other-account')
  async useOtherAccount(@Param('uid') uid: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { flow } = await this.#flows.open(uid, request, reply);
    const { identityProvider } = flow.server;
    return redirect(reply, this.#sessions.loginPath(interactionPath(uid), { fresh: 'asked', ...(identityProvider !== undefined && { identityProvider }) }));
  }

  #browser(request: FastifyRequest): LoginBrowser {
    return new LoginBrowser(request, this.#controlPlaneUrl.startsWith('https:'));
  }
}

/** Of a page of this flow, shown in this browser to this person. */
const formToken = (browser: LoginBrowser, uid: string, person: string): string => browser.derive('form', `${uid} ${person}`);

function equals(sent: string, expected: string): boolean {
  const [a, b] = [Buffer.from(sent), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** With the cookie that the page's form belongs to. */
function sendPage(reply: FastifyReply, page: string, { cookie }: LoginBrowser): void {
  void reply.headers(pageHeaders()).header('Set-Cookie', cookie).send(page);
}

function redirect(reply: FastifyReply, path: string): void {
  void reply.header('Cache-Control', 'no-store').redirect(path, 303);
}
