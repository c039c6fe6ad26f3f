import type { KoaContextWithOIDC } from 'oidc-provider';

const whatThereIs = { response_modes_supported: ['query'], authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] };

/** The library's metadata lists what it could do; this leaves what it does here. What fails for the moment says when to come back. */
export async function refineAnswers(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  if (ctx.path.startsWith('/.well-known/') && typeof ctx.body === 'object' && ctx.body !== null) ctx.body = { ...ctx.body, ...whatThereIs };
  if (ctx.status === 503) ctx.set('Retry-After', '5');
}
