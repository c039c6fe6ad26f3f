import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface Caller {
  readonly sub: string;
  readonly kind: 'person' | 'service-account' | 'token';
  readonly workspace: string;
  readonly server: string;
  readonly idp?: string;
  readonly token_issuer?: string;
  readonly name?: string;
  readonly email?: string;
  readonly groups?: readonly string[];
  readonly act?: { readonly sub: string };
}

export interface CallerIdentityOptions {
  /** URL of the gateway's control plane. */
  readonly issuer: string;
  /** Origin of this upstream as the gateway has it, or the `audience` that is configured there. */
  readonly audience: string;
  /** Who may call; people and service accounts when absent. With tokens, look at token_issuer: their subjects are only as good as that. */
  readonly kinds?: readonly Caller['kind'][];
  /** Of the server at the gateway; any when absent. */
  readonly workspace?: string;
  readonly server?: string;
}

/** Lets requests through that the gateway vouches for, and tells who calls: `callerOf(request)`. */
export function requireCaller({ issuer, audience, kinds = ['person', 'service-account'], workspace, server }: CallerIdentityOptions) {
  const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/$/, '')}/.well-known/jwks.json`));
  const rules = { issuer, audience, typ: 'caller-identity+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'exp'] };
  const isExpected = (caller: Caller): boolean =>
    kinds.includes(caller.kind) && (workspace === undefined || caller.workspace === workspace) && (server === undefined || caller.server === server);
  return async (request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> => {
    try {
      // Two of them would arrive as one text, which is no token.
      const { payload } = await jwtVerify(String(request.headers['x-caller']), keys, rules);
      const caller = payload as unknown as Caller;
      if (!isExpected(caller)) throw new Error('not one of those who may call');
      callers.set(request, caller);
    } catch {
      return void response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"no valid caller identity"}');
    }
    next();
  };
}

const callers = new WeakMap<IncomingMessage, Caller>();

export const callerOf = (request: IncomingMessage): Caller | undefined => callers.get(request);
