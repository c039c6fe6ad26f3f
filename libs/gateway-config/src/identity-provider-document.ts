import { completeSecret, httpUrl, readableSecret, type SecretField, slug, writableSecret } from '@gatehouse/config-fields';
import { z } from 'zod';
import { warning } from './warning.ts';

/** The accounts that the gateway keeps itself have this in the place of a provider's name. */
const localAccounts = 'local';

const issuer = httpUrl('Issuer')
  .refine((value) => !URL.canParse(value) || new URL(value).search === '', 'must not contain a query (?…)')
  .meta({ description: 'Exactly as the provider writes it in its discovery document (<issuer>/.well-known/openid-configuration), with or without a slash at the end.' });

const claimName = (title: string, description: string) => z.string().min(1).max(256).optional().meta({ title, description });

const claims = z
  .strictObject({
    subject: claimName('Subject', 'Who someone is, for ever: sub when absent.'),
    email: claimName('E-mail', 'email when absent. An address that is not verified is left out; see emailVerified.'),
    name: claimName('Name', 'name when absent.'),
    groups: claimName('Groups', 'groups when absent. A name with dots that is no claim is a way into one, such as realm_access.roles.'),
    roles: claimName('Roles', 'Values that count for roles as groups do and are no groups; none when absent.'),
  })
  .meta({ id: 'IdentityProviderClaims', title: 'Claims' });

const groupNames = z.array(z.string().min(1).max(256)).max(100).optional();

const roleGroups = z
  .strictObject({
    admin: groupNames.meta({ title: 'Administrators', description: 'Groups, or values of the roles claim, whose people may do everything.' }),
    editor: groupNames.meta({ title: 'Editors', description: 'May change servers, credentials, service accounts and the header policy.' }),
    auditor: groupNames.meta({ title: 'Auditors', description: 'May read everything but secrets.' }),
  })
  .meta({ id: 'IdentityProviderRoles', title: 'Roles', description: 'Everyone who can log in is a member besides.' });

const values = z.union([z.string().min(1).max(1024), z.array(z.string().min(1).max(1024)).min(1).max(100)]);

const fieldsWith = <S extends z.ZodType>(secret: SecretField<S>) => ({
  name: slug('Name').refine((value) => value !== localAccounts, 'is the name of the accounts that the gateway keeps itself'),
  title: z.string().max(200).optional().meta({ title: 'Title', description: 'What the login page calls it.' }),
  issuer,
  clientId: z.string().min(1).max(1024).meta({ title: 'Client id' }),
  clientSecret: secret({ title: 'Client secret' }),
  clientAuth: z.enum(['basic', 'post']).optional().meta({
    title: 'Client authentication',
    description: 'How the client secret is sent to the token endpoint; absent, as the provider says that it takes it.',
  }),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be a scope: visible ASCII characters without spaces, quotes and backslashes'))
    .max(50)
    .optional()
    .meta({ title: 'Scopes', description: 'openid, profile and email when absent; openid is always asked for.' }),
  claims: claims.optional(),
  emailVerified: z.enum(['claim', 'always']).optional().meta({
    title: 'Verified addresses',
    description: 'claim (when absent): an address counts where email_verified says so. always: each does, for providers whose addresses only administrators set and that have no such claim.',
  }),
  emailDomains: z
    .array(z.string().max(253).regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a domain in lower case, such as corp.example'))
    .min(1, 'must not be empty: leave it out for any')
    .max(100)
    .optional()
    .meta({ title: 'Domains of addresses', description: 'What this provider may say is someone’s address. One of another domain is left out; any is taken when absent.' }),
  roles: roleGroups.optional(),
  requiredClaims: z
    .record(z.string().min(1).max(256), values)
    .optional()
    .meta({ title: 'Required claims', description: 'Who has another value, or none, cannot log in. Google lets every account in unless hd says whose.' }),
  apiAudiences: z
    .array(z.string().min(1).max(1024))
    .max(20)
    .optional()
    .meta({ title: 'Audiences of the REST API', description: 'In whose name, besides the control plane’s URL, access tokens of this provider may be for the REST API. ID tokens are never taken.' }),
  enabled: z.boolean().optional(),
});

const readOnlyFields = {
  id: z.string(),
  redirectUri: z.string().meta({ description: 'What to register at the provider.' }),
  revision: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
};

const kind = z.literal('IdentityProvider');

const optionalReadOnly = z.object({ ...readOnlyFields, kind, warnings: z.array(warning) }).partial().shape;

/** An identity provider as it is written: POST, PUT, `apply -f`. */
export const writableIdentityProvider = z.strictObject({ ...fieldsWith(writableSecret), ...optionalReadOnly });

/** An identity provider with its secret: what people log in with. */
export const completeIdentityProvider = z.strictObject(fieldsWith(completeSecret));

/** An identity provider as it is read. */
export const readableIdentityProvider = z
  .object({ kind, ...readOnlyFields, ...fieldsWith(readableSecret), enabled: z.boolean(), warnings: z.array(warning) })
  .meta({ id: 'IdentityProvider' });

export type IdentityProviderDocument = z.output<typeof completeIdentityProvider>;
export type ReadableIdentityProvider = z.output<typeof readableIdentityProvider>;
