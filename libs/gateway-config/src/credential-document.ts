import { fitForHeader } from '@gatehouse/app-auth';
import { readableSecret, type SecretField, slug, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { warning } from './warning.ts';

const credentialScope = z
  .enum(['workspace', 'user'])
  .meta({ title: 'Scope', description: 'workspace: one value for all callers, kept with this document. user: each person enters a value of their own, which serves nobody else.' });

export type CredentialScope = z.output<typeof credentialScope>;

const fieldsWith = <S extends z.ZodType>(secret: SecretField<S>) => ({
  name: slug('Name'),
  title: z.string().min(1).max(200).optional().meta({ title: 'Title', description: 'What people read who are asked for theirs.' }),
  description: z.string().max(2000).optional().meta({ title: 'Description', description: 'Such as where people find theirs.' }),
  scope: credentialScope,
  value: fitForHeader(secret({ title: 'Value' })).optional().meta({ title: 'Value', description: 'Of the scope workspace only.' }),
});

function checkScope({ scope, value }: { scope: CredentialScope; value?: unknown }, context: z.RefinementCtx): void {
  if (scope === 'user' && value instanceof Secret) context.addIssue({ code: 'custom', path: ['value'], message: 'must not be given: of the scope user, people enter values of their own' });
}

const readOnlyFields = { id: z.string(), workspace: z.string(), revision: z.number(), createdAt: z.string(), updatedAt: z.string() };

const kind = z.literal('Credential');

const optionalReadOnly = z.object({ ...readOnlyFields, kind, warnings: z.array(warning) }).partial().shape;

/** A credential as it is written: POST, PUT, `apply -f`. */
export const writableCredential = z.strictObject({ ...fieldsWith(writableSecret), ...optionalReadOnly }).superRefine(checkScope);

/** A credential as it is read. */
export const readableCredential = z.object({ kind, ...readOnlyFields, ...fieldsWith(readableSecret), warnings: z.array(warning) }).meta({ id: 'Credential' });

const maxPersonalLength = 8_192;

/** What a person sends as a value of their own. */
export const credentialValue = z
  .strictObject({
    value: fitForHeader(
      z
        .string()
        .min(1, 'must not be empty')
        .max(maxPersonalLength)
        .meta({ title: 'Value', format: 'password', writeOnly: true })
        .transform((value) => new Secret(value)),
    ),
  })
  .meta({ id: 'CredentialValue' });

export type ReadableCredential = z.output<typeof readableCredential>;
