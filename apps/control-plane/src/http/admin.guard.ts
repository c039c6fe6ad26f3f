import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '@gatehouse/errors';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import type { AuthenticatedRequest } from './actor.ts';
import { isPublicKey } from './public.ts';

interface Request extends AuthenticatedRequest {
  readonly headers: { readonly authorization?: string };
}

/** Denies every route that does not say `@Public()`. */
@Injectable()
export class AdminGuard implements CanActivate {
  readonly #reflector: Reflector;
  readonly #tokenHash: Buffer;

  constructor(reflector: Reflector, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#reflector = reflector;
    this.#tokenHash = digest(settings.ADMIN_TOKEN.reveal());
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.#reflector.getAllAndOverride<boolean>(isPublicKey, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Hashes have one length, so that the comparison tells nothing of the token's.
    if (token === undefined || !timingSafeEqual(digest(token), this.#tokenHash)) throw new GatewayError('unauthenticated');
    request.actor = 'admin-token';
    return true;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
