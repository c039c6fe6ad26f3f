import { GatewayError } from '@gatehouse/errors';
import { maxRedirects, type RedirectRefusal } from './redirect-target.ts';

export interface RefusedRedirect {
  readonly reason: RedirectRefusal;
  /** Of the target: scheme, host and port, never its path or query. */
  readonly origin: string | undefined;
  readonly method: string;
  readonly status: number;
}

/** A redirect that is not followed, in words for whoever configured the upstream. */
export class RedirectError extends GatewayError {
  readonly reason: RedirectRefusal;
  readonly redirectOrigin: string | undefined;
  readonly publicDetail: string;

  constructor(refused: RefusedRedirect) {
    const { reason, origin, status } = refused;
    super('upstream_redirected', { detail: `status ${status}, ${reason}${origin === undefined ? '' : `, to ${origin}`}` });
    this.reason = reason;
    this.redirectOrigin = origin;
    this.publicDetail = sentences[reason](refused);
  }
}

const to = (origin: string | undefined): string => (origin === undefined ? '' : ` to ${origin}`);

const sentences: Readonly<Record<RedirectRefusal, (refused: RefusedRedirect) => string>> = {
  no_location: ({ status }) => `The upstream of this server answered with a redirect (${status}) that names no target.`,
  unclear_location: ({ origin, status }) => `The upstream of this server answered with a redirect (${status})${to(origin)} whose target is not clear; it is not followed.`,
  other_origin: ({ origin, status }) => `The upstream of this server redirects (${status})${to(origin)}, which is not its configured origin; it is not followed.`,
  outside_base_path: ({ origin, status }) => `The upstream of this server redirects (${status})${to(origin)}, to a path outside of its configured URL; it is not followed.`,
  method_not_repeated: ({ origin, method, status }) =>
    `The upstream of this server redirects (${status})${to(origin)}, but a ${method} is not repeated as GET; a redirect with 307 or 308 would be followed.`,
  body_not_repeated: ({ origin, status }) =>
    `The upstream of this server redirects (${status})${to(origin)}, but a body that was passed on as it came is not there a second time: send it with a Content-Length that the gateway takes as a whole.`,
  too_many: ({ origin }) => `The upstream of this server redirects more than ${maxRedirects} times${origin === undefined ? '' : ` at ${origin}`}.`,
};
