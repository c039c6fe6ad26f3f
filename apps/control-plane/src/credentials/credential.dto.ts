import { credentialValue, readableCredential, writableCredential } from '@gatehouse/gateway-config';
import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../http/page-schema.ts';

const credentialUser = z
  .object({ user: z.object({ id: z.string(), name: z.string(), email: z.string().optional() }), updatedAt: z.string().meta({ description: 'When the value was entered.' }) })
  .meta({ id: 'CredentialUser', description: 'Someone who has a value of their own. Never the value.' });

const myCredential = z
  .object({
    id: z.string(),
    workspace: z.string(),
    name: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    value: z.object({ set: z.boolean(), updatedAt: z.string().optional() }),
  })
  .meta({ id: 'MyCredential', description: 'A credential of which each person has a value of their own, and whether I have one. Never the value.' });

export type ReadableCredentialUser = z.output<typeof credentialUser>;
export type MyCredential = z.output<typeof myCredential>;

export class CredentialInput extends createZodDto(writableCredential) {}
export class CredentialOutput extends createZodDto(readableCredential) {}
export class CredentialPage extends createZodDto(pageSchema(readableCredential).meta({ id: 'CredentialPage' })) {}
export class CredentialUserPage extends createZodDto(pageSchema(credentialUser).meta({ id: 'CredentialUserPage' })) {}
export class CredentialValueInput extends createZodDto(credentialValue) {}
export class MyCredentialOutput extends createZodDto(myCredential) {}
export class MyCredentialPage extends createZodDto(pageSchema(myCredential).meta({ id: 'MyCredentialPage' })) {}
