import type { TokenSubject } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import { slug } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { scopes } from '@gatehouse/token-exchange';
import { z } from 'zod';
import { appAuthType } from './app-auth-type.ts';
import { credentialOfToken } from './credential-of-token.ts';
import { credentialSubject } from './credential-subject.ts';

const schema = z
  .strictObject({
    type: z.literal('oauth-authorization-code'),
    app: slug('App').optional().meta({ description: 'Of the workspace: people connect it once for every server that names it.' }),
    discover: z.literal(true).optional().meta({ title: 'Discover', description: 'In place of an app: the upstream itself says where people authorize, and the gateway registers there.' }),
    scopes: scopes.optional().meta({ title: 'Scopes', description: 'That this server needs, besides those of the app.' }),
    shared: z.boolean().optional().meta({ title: 'Shared', description: 'One connection for all callers, made by an administrator. Otherwise each person has one.' }),
  })
  .superRefine(({ app, discover }, context) => {
    if (app === undefined && discover === undefined) context.addIssue({ code: 'custom', path: ['app'], message: 'is required, or discover: true in its place' });
    if (app !== undefined && discover !== undefined) context.addIssue({ code: 'custom', path: ['discover'], message: 'must not be given together with app' });
  })
  .meta({ title: 'OAuth 2.1, per user' });

type Config = z.output<typeof schema>;

export const oauthAuthorizationCode = appAuthType({
  type: 'oauth-authorization-code',
  title: 'OAuth 2.1, per user',
  description: 'Each person connects an account once; calls carry that person’s own access token.',
  writable: schema,
  complete: schema,
  readable: schema,
  prepare: (config) => ({
    type: 'oauth-authorization-code',
    credentialKind: 'connection',
    headerNames: ['Authorization'],
    storesCredential: true,
    connects: true,
    wouldCall: describe(config),
    obtain: ({ server, caller, tokens, refused }) => {
      if (server === undefined || tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'nobody calls, so there is no connection to use' });
      return credentialOfToken(tokens.ofConnection(server, subjectOf(caller, config), refused));
    },
  }),
});

const subjectOf = (caller: Caller | undefined, { shared }: Config): TokenSubject => (shared === true ? 'shared' : credentialSubject(caller));

const describe = ({ app, shared }: Config): string =>
  `the token broker, for ${shared === true ? 'the shared connection' : 'the caller’s connection'} ${app === undefined ? 'with the upstream' : `with the app ${app}`}`;
