import { GatewayError } from '@gatehouse/errors';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { isAtLeast, type Role } from '../identity/person.ts';
import { actorOf, type Principal, roleOf } from '../identity/principal.ts';
import { Principals } from '../identity/principals.service.ts';
import type { AuthenticatedRequest } from './actor.ts';
import { allowKey } from './allow.ts';
import { isCrossSite } from './cross-site.ts';
import { isPublicKey } from './public.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Has to come with every change that a browser's cookie authenticates. Pages of other origins cannot send it: CORS would have to allow it, and nothing here does. */
export const csrfHeader = 'x-gatehouse-csrf';

/** Denies every route that does not say `@Public()` or whom it allows. */
@Injectable()
export class RoleGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #principals: Principals;
  readonly #controlPlaneUrl: string;

  constructor(reflector: Reflector, principals: Principals, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#reflector = reflector;
    this.#principals = principals;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.#reflector.getAllAndOverride<boolean>(isPublicKey, places)) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    const principal = await this.#principals.of(request);
    if (principal === undefined) throw new GatewayError('unauthenticated');
    const least = this.#reflector.getAllAndOverride<Role | undefined>(allowKey, places);
    if (least === undefined || !isAtLeast(roleOf(principal), least)) throw new GatewayError('forbidden', { detail: actorOf(principal) });
    if (isOfBrowser(principal) && !safeMethods.has(request.method)) this.#requireOwnPage(request);
    request.principal = principal;
    request.actor = actorOf(principal);
    return true;
  }

  /** A browser sends its cookie along whoever has made it send something (CSRF). @throws GatewayError cross_site_request */
  #requireOwnPage(request: FastifyRequest): void {
    if (request.headers[csrfHeader] === undefined || isCrossSite(request, this.#controlPlaneUrl)) throw new GatewayError('cross_site_request');
  }
}

const isOfBrowser = (principal: Principal): boolean => principal.kind === 'person' && principal.sessionId !== undefined;
