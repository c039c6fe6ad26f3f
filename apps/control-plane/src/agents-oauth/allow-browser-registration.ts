import type { KoaContextWithOIDC } from 'oidc-provider';

/**
 * Lets applications in browsers register (RFC 7591): the library has no CORS for it. Whoever can reach us can register, so that an
 * answer to any origin gives nothing away.
 */
export async function allowBrowserRegistration(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  if (ctx.path !== '/oauth/register') return next();
  ctx.set('Access-Control-Allow-Origin', '*');
  if (ctx.method === 'OPTIONS') {
    ctx.set({ 'Access-Control-Allow-Methods': 'POST', 'Access-Control-Allow-Headers': 'content-type', 'Access-Control-Max-Age': '3600' });
    ctx.status = 204;
    return undefined;
  }
  return next();
}
