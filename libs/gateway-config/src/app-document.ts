import { completeSecret, httpUrl, readableSecret, type SecretField, slug, writableSecret } from '@gatehouse/config-fields';
import { z } from 'zod';
import { warning } from './warning.ts';

/** What the gateway itself sends in an authorization request: RFC 6749, RFC 7636, RFC 8707, RFC 9101, OpenID Connect Core. */
const ownParameters = new Set([
  'client_id', 'client_secret', 'code_challenge', 'code_challenge_method', 'nonce', 'redirect_uri', 'request', 'request_uri', 'response_mode', 'response_type', 'scope',
  'state',
]);

const endpoint = (title: string) =>
  httpUrl(title).meta({ description: 'https; plain http only to addresses that the deployment names, such as this machine. As the catalogue has it when provider is set.' });

const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be a scope: visible ASCII characters without spaces, quotes and backslashes');

const extraParameters = z
  .record(
    z.string().min(1).max(100).refine((name) => !ownParameters.has(name), 'is a parameter that the gateway sets itself'),
    z.string().max(1024),
  )
  .refine((parameters) => Object.keys(parameters).length <= 20, 'must be at most 20');

const fieldsWith = <S extends z.ZodType>(secret: SecretField<S>) => ({
  name: slug('Name'),
  title: z.string().max(200).optional().meta({ title: 'Title', description: 'What people read who are asked to connect it.' }),
  provider: z.string().min(1).max(63).optional().meta({ title: 'Provider', description: 'Of the catalogue (/v1/catalog), which fills in what is absent here.' }),
  variables: z
    .record(z.string().min(1).max(20), z.string().min(1).max(1024))
    .optional()
    .meta({ title: 'Variables', description: 'Of the provider’s URLs, such as the domain of the tenant.' }),
  issuer: httpUrl('Issuer').optional().meta({ description: 'As the provider writes it in iss (RFC 9207), which is then required to be it.' }),
  authorizationUrl: endpoint('Authorization URL').optional(),
  tokenUrl: endpoint('Token URL').optional(),
  revocationUrl: endpoint('Revocation URL').optional().meta({ description: 'RFC 7009. Without it disconnecting only forgets the tokens.' }),
  clientId: z.string().min(1).max(1024).meta({ title: 'Client id' }),
  clientSecret: secret({ title: 'Client secret' }).optional(),
  clientAuth: z.enum(['basic', 'post', 'none']).optional().meta({ title: 'Client authentication', description: 'How the client secret is sent to the token endpoint; none is for public clients.' }),
  scopes: z.array(scope).max(100).optional().meta({ title: 'Scopes', description: 'Asked for whoever connects; a server may want more.' }),
  pkce: z.boolean().optional().meta({ title: 'PKCE', description: 'RFC 7636 with S256; used when absent, unless the provider cannot.' }),
  extraParameters: extraParameters.optional().meta({ title: 'Extra parameters', description: 'Of the authorization request.' }),
});

const readOnlyFields = {
  id: z.string(),
  workspace: z.string(),
  redirectUri: z.string().meta({ description: 'What to register at the provider.' }),
  revision: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
};

const kind = z.literal('App');

const optionalReadOnly = z.object({ ...readOnlyFields, kind, warnings: z.array(warning) }).partial().shape;

/** An app as it is written: POST, PUT, `apply -f`. */
export const writableApp = z.strictObject({ ...fieldsWith(writableSecret), ...optionalReadOnly });

/** An app with its secret: what people connect with. */
export const completeApp = z.strictObject(fieldsWith(completeSecret));

/** An app as it is read. */
export const readableApp = z.object({ kind, ...readOnlyFields, ...fieldsWith(readableSecret), warnings: z.array(warning) }).meta({ id: 'App' });

export type AppDocument = z.output<typeof completeApp>;
export type ReadableApp = z.output<typeof readableApp>;
