import { createHash, timingSafeEqual } from 'node:crypto';
import { bearerToken } from '@gatehouse/agent-auth';
import { Inject, Injectable } from '@nestjs/common';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { ApiTokens } from './api-tokens/api-tokens.service.ts';
import { isApiToken } from './api-tokens/api-token.ts';
import { BrowserSessions } from './browser-sessions.service.ts';
import type { Principal } from './principal.ts';
import { ProviderJwts } from './provider-jwts.service.ts';

/** Of any HTTP library's request. */
export interface CredentialRequest {
  readonly headers: { readonly authorization?: string | undefined; readonly cookie?: string | undefined };
}

/** Who sends a request, by what it comes with: the administrator's token, an API token, a token of an identity provider, a browser's cookie. */
@Injectable()
export class Principals {
  readonly #adminTokenHash: Buffer;
  readonly #apiTokens: ApiTokens;
  readonly #jwts: ProviderJwts;
  readonly #sessions: BrowserSessions;

  constructor(apiTokens: ApiTokens, jwts: ProviderJwts, sessions: BrowserSessions, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#adminTokenHash = digest(settings.ADMIN_TOKEN.reveal());
    this.#apiTokens = apiTokens;
    this.#jwts = jwts;
    this.#sessions = sessions;
  }

  /** Whoever sends a credential is judged by it: with a wrong one no cookie helps. */
  async of(request: CredentialRequest): Promise<Principal | undefined> {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = bearerToken(authorization);
      return token === undefined ? undefined : this.#ofToken(token);
    }
    const session = await this.#sessions.current(request);
    return session && { kind: 'person', person: session.person, sessionId: session.sessionId };
  }

  async #ofToken(token: string): Promise<Principal | undefined> {
    // Hashes have one length, so that the comparison tells nothing of the token's.
    if (timingSafeEqual(digest(token), this.#adminTokenHash)) return { kind: 'admin-token' };
    if (isApiToken(token)) {
      const known = await this.#apiTokens.find(token);
      return known && { kind: 'api-token', id: known.id, name: known.name, role: known.role };
    }
    const person = await this.#jwts.personOf(token);
    return person && { kind: 'person', person, sessionId: undefined };
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
