import type { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { loggerToken } from '../control-plane-parts.ts';
import { returnPath } from '../identity/return-path.ts';
import { understoodError } from '../http/understood-error.ts';
import { type Html, html } from './html.ts';
import { pageHeaders, renderPage } from './render-page.ts';

/** Errors where a person looks at a page: a sentence, and a name by which the log can be searched. */
@Catch()
export class PageFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(@Inject(loggerToken) logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = understoodError(thrown);
    this.#logger[error.level]({ err: error, requestId: request.id, code: error.code }, 'request failed');
    if (error.status === 503 || error.status === 429) void reply.header('Retry-After', '60');
    void reply.status(error.status).headers(pageHeaders()).send(renderPage({ title: titleOf(error), body: bodyOf(error, request) }));
  }
}

const titleOf = (error: GatewayError): string => (error.status >= 500 ? 'Something went wrong' : error.status === 404 ? 'There is nothing here' : 'That did not work');

const bodyOf = (error: GatewayError, request: FastifyRequest): Html => html`
<p class="problem">${error.publicMessage}</p>
${error.problems.map(({ detail }) => html`<p>${detail}</p>`)}
${wayOn(request)}
<p class="soft">${error.code} · ${request.id}</p>
`;

const flowPath = '/oauth/interaction/';

/** What to do about it. Whoever came from an application finds nothing at the front door: only the application can begin anew. */
function wayOn({ url }: FastifyRequest): Html {
  const { pathname, searchParams } = new URL(url, 'https://gatehouse.invalid');
  if (pathname.startsWith(flowPath)) return html`<p>Go back to the application that you came from, and start the login there again.</p>`;
  const returnTo = returnPath(searchParams.get('return_to') ?? undefined);
  if (returnTo.startsWith(flowPath)) return html`<p><a class="button plain" href="${returnTo}">Try again</a></p>`;
  return html`<p><a class="button plain" href="/login">Log in again</a></p>
<p class="soft">If an application sent you here, go back to it and start the login there again.</p>`;
}
