import type { KoaContextWithOIDC } from 'oidc-provider';

/** The library's metadata lists what it could do; this leaves what it does here. */
export async function describeHonestly(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (ctx.path.startsWith('/.well-known/') && typeof ctx.body === 'object' && ctx.body !== null) ctx.body = { ...ctx.body, response_modes_supported: ['query'] };
}
