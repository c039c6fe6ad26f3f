import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface Caller {
  readonly sub: string;
  readonly idp?: string;
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
}

/** Lets requests through that the gateway vouches for, and tells who calls: `callerOf(request)`. */
export function requireCaller({ issuer, audience }: CallerIdentityOptions) {
  const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/$/, '')}/.well-known/jwks.json`));
  const rules = { issuer, audience, typ: 'caller-identity+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'exp'] };
  return async (request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> => {
    try {
      // Two of them would arrive as one text, which is no token.
      const { payload } = await jwtVerify(String(request.headers['x-caller']), keys, rules);
      callers.set(request, payload as unknown as Caller);
    } catch {
      return void response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"no valid caller identity"}');
    }
    next();
  };
}

const callers = new WeakMap<IncomingMessage, Caller>();

export const callerOf = (request: IncomingMessage): Caller | undefined => callers.get(request);
