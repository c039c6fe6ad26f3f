import { httpUrl, type SecretField } from '@gatehouse/config-fields';
import type { ClientAuthentication } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';
import { z } from 'zod';

/** RFC 6749 section 3.3. */
export const scopes = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be a scope: visible ASCII characters without spaces, quotes and backslashes')).max(100);

export const clientId = z.string().min(1).max(1024).meta({ title: 'Client id' });

/** How a client of the gateway's own proves who it is. */
export const clientAuthenticationFields = <S extends z.ZodType>(secret: SecretField<S>) => ({
  clientSecret: secret({ title: 'Client secret' }).optional(),
  privateKey: secret({ title: 'Private key', description: 'In place of a client secret: PEM (PKCS #8) or a JWK. Signs an assertion for each request (RFC 7523).' }).optional(),
  clientAuth: z.enum(['basic', 'post', 'private-key-jwt']).optional().meta({ title: 'Client authentication', description: 'basic for a client secret, private-key-jwt for a private key, when absent.' }),
});

/** A client of the gateway's own, and what it asks a token for. */
export const clientFields = <S extends z.ZodType>(secret: SecretField<S>) => ({
  tokenUrl: httpUrl('Token URL'),
  clientId,
  ...clientAuthenticationFields(secret),
  scopes: scopes.optional().meta({ title: 'Scopes' }),
  audience: z.string().min(1).max(2048).optional().meta({ title: 'Audience', description: 'What some providers want in place of resource.' }),
  resource: httpUrl('Resource').optional().meta({ description: 'RFC 8707: what the token is for.' }),
});

export interface ClientSecrets {
  readonly clientSecret?: Secret | undefined;
  readonly privateKey?: Secret | undefined;
  readonly clientAuth?: 'basic' | 'post' | 'private-key-jwt' | undefined;
}

/** Whether it proves itself by what it signs, and shows its secret to nobody. */
export const signs = ({ privateKey, clientAuth }: ClientSecrets): boolean => (clientAuth === undefined ? privateKey !== undefined : clientAuth === 'private-key-jwt');

/** Refines a client whose secrets are known: there is the one that it proves itself with, and no other. */
export function checkClientSecrets({ clientSecret, privateKey, clientAuth }: ClientSecrets, context: z.RefinementCtx, path: readonly string[] = []): void {
  const wantsKey = signs({ privateKey, clientAuth });
  const [wanted, other] = wantsKey ? (['privateKey', 'clientSecret'] as const) : (['clientSecret', 'privateKey'] as const);
  const given = { clientSecret, privateKey };
  if (given[wanted] === undefined) context.addIssue({ code: 'custom', path: [...path, wanted], message: 'is required' });
  if (given[other] !== undefined) context.addIssue({ code: 'custom', path: [...path, other], message: `must not be given together with ${wantsKey ? 'private-key-jwt' : 'a client secret'}` });
}

/** Of a client that `checkClientSecrets` has found nothing wrong with. */
export function clientAuthenticationOf({ clientSecret, privateKey, clientAuth }: ClientSecrets): ClientAuthentication {
  if (privateKey !== undefined) return { method: 'private-key-jwt', key: privateKey };
  return { method: clientAuth === 'post' ? 'post' : 'basic', secret: clientSecret as Secret };
}
