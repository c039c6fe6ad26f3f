import { credentialSubject } from '@gatehouse/app-auth';
import { completeSecret, slug } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { z } from 'zod';
import { outboundHeaderSource } from './outbound-header-source.ts';

const fields = {
  type: z.literal('credential'),
  name: slug('Credential').meta({ description: 'Of the server’s workspace.' }),
  scope: z.enum(['workspace', 'user']).meta({ title: 'Scope', description: 'As the credential has it: workspace for one value of all callers, user for each caller’s own.' }),
};

const schema = z.strictObject(fields).meta({ title: 'Stored credential' });

/** The control plane puts a workspace's value here; a person's own is asked for when they call. */
const complete = z.strictObject({ ...fields, value: completeSecret({ title: 'Value' }).optional() });

export const credential = outboundHeaderSource({
  type: 'credential',
  title: 'Stored credential',
  description: 'A credential of the vault: one of the workspace, or each caller’s own, which they are asked for where it is missing.',
  writable: schema,
  complete,
  readable: schema,
  prepare: ({ name, scope, value }, isRequired) =>
    scope === 'workspace'
      ? { type: 'credential', credentialKind: 'stored', obtain: () => value }
      : {
          type: 'credential',
          credentialKind: 'entered',
          connects: true,
          wouldCall: `the token broker, for what the caller has entered as ${name}`,
          obtain: ({ server, caller, tokens, refused }) => {
            const subject = credentialSubject(caller);
            if (server === undefined || tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'nothing can be asked for from here' });
            return tokens.ofCredential(server, subject, name, refused, !isRequired);
          },
        },
});
