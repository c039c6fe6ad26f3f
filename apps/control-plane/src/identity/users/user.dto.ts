import { createZodDto } from 'nestjs-zod';
import { z } from 'zod';
import { pageSchema } from '../../http/page-schema.ts';
import { roles } from '../person.ts';

const role = z.enum(roles);

const assignedRoles = z.array(z.enum(['auditor', 'editor', 'admin'])).max(3).meta({ description: 'Given by an administrator, besides those that the provider’s groups give.' });

const user = z
  .object({
    kind: z.literal('User'),
    id: z.string(),
    provider: z.string().meta({ description: 'Name of the identity provider, or local.' }),
    subject: z.string(),
    email: z.string().optional(),
    name: z.string(),
    groups: z.array(z.string()).readonly(),
    roles: z.array(role).readonly(),
    assignedRoles: z.array(role).readonly(),
    disabled: z.boolean().meta({ description: 'By an administrator.' }),
    suspended: z.boolean().meta({ description: 'The identity provider is gone, switched off, or has another issuer by now.' }),
    hasPassword: z.boolean(),
    revision: z.number(),
    createdAt: z.string(),
    updatedAt: z.string(),
    lastLoginAt: z.string().optional(),
  })
  .meta({ id: 'User' });

export const newLocalUser = z.strictObject({
  email: z.string().max(254),
  name: z.string().trim().min(1).max(200).optional(),
  assignedRoles: assignedRoles.optional(),
});

export const userChange = z.strictObject({ disabled: z.boolean().optional(), assignedRoles: assignedRoles.optional() });

const loginLink = z.object({ url: z.string(), expiresAt: z.string() }).meta({ id: 'LoginLink', description: 'Works once.' });

const invitedUser = user.extend({ loginLink }).meta({ id: 'InvitedUser' });

const browserSession = z
  .object({ id: z.string(), createdAt: z.string(), lastUsedAt: z.string(), expiresAt: z.string(), current: z.boolean().optional() })
  .meta({ id: 'BrowserSession' });

const grant = z
  .object({
    id: z.string(),
    clientId: z.string(),
    clientName: z.string(),
    redirectHost: z.string(),
    resource: z.string().meta({ description: 'The server that the client may reach.' }),
    createdAt: z.string(),
    lastUsedAt: z.string(),
  })
  .meta({ id: 'Grant', description: 'What a person allowed an agent.' });

export type ReadableUser = z.output<typeof user>;
export type InvitedUser = z.output<typeof invitedUser>;
export type ReadableSession = z.output<typeof browserSession>;
export type ReadableGrant = z.output<typeof grant>;

export class UserOutput extends createZodDto(user) {}
export class UserPage extends createZodDto(pageSchema(user).meta({ id: 'UserPage' })) {}
export class NewUserInput extends createZodDto(newLocalUser) {}
export class UserChangeInput extends createZodDto(userChange) {}
export class InvitedUserOutput extends createZodDto(invitedUser) {}
export class LoginLinkOutput extends createZodDto(loginLink) {}
export class BrowserSessionList extends createZodDto(z.object({ items: z.array(browserSession) }).meta({ id: 'BrowserSessionList' })) {}
export class GrantList extends createZodDto(z.object({ items: z.array(grant) }).meta({ id: 'GrantList' })) {}
