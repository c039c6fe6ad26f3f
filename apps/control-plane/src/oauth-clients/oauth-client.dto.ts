import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../http/page-schema.ts';

const authentication = z.enum(['none', 'secret', 'keys']).meta({ title: 'Authentication', description: 'none: a program on people’s machines or in their browsers. secret: a server. keys: a server with a key pair (private_key_jwt).' });

export const writableOAuthClient = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(40, 'must have at most 40 characters').meta({ title: 'Name', description: 'As people are shown it.' }),
    redirectUris: z.array(z.string().max(2_048)).min(1, 'must name at least one').max(10, 'must be at most 10').meta({ title: 'Redirect URIs', description: 'Exactly as the client sends them; of loopback addresses the port may vary.' }),
    authentication: authentication.optional().meta({ description: 'none when absent.' }),
    jwks: z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) }).optional().meta({ title: 'Public keys', description: 'A JWK set, for authentication by keys.' }),
  })
  .refine(({ authentication: method, jwks }) => (method === 'keys') === (jwks !== undefined), { path: ['jwks'], message: 'goes with authentication by keys, and only with that' });

const readableOAuthClient = z
  .object({
    clientId: z.string(),
    name: z.string().meta({ description: 'Of a client that registered itself: what it calls itself.' }),
    redirectUris: z.array(z.string()),
    authentication,
    registration: z.enum(['administrator', 'self']),
    createdAt: z.string(),
    expiresAt: z.string().nullable().meta({ description: 'When it is forgotten unless it is used; null: never.' }),
  })
  .meta({ id: 'OAuthClient', description: 'An application that people let call servers in their name.' });

const registeredOAuthClient = readableOAuthClient.extend({ clientSecret: z.string().optional().meta({ description: 'Shown only now.' }) }).meta({ id: 'RegisteredOAuthClient' });

export type ReadableOAuthClient = z.output<typeof readableOAuthClient>;
export type RegisteredOAuthClient = z.output<typeof registeredOAuthClient>;

export class OAuthClientInput extends createZodDto(writableOAuthClient) {}
export class RegisteredOAuthClientOutput extends createZodDto(registeredOAuthClient) {}
export class OAuthClientPage extends createZodDto(pageSchema(readableOAuthClient).meta({ id: 'OAuthClientPage' })) {}
