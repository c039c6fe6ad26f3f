import { hash } from 'node:crypto';
import type { AccessToken, FetchTokens } from '@gatehouse/access-tokens';
import { completeSecret, httpUrl, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { GatewayError } from '@gatehouse/errors';
import { type ClientAuthentication, clientCredentials, OAuthFailure } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType } from './app-auth-type.ts';
import { scopes } from './credential-fields.ts';
import { credentialOfToken } from './credential-of-token.ts';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z
    .strictObject({
      type: z.literal('oauth-client-credentials'),
      tokenUrl: httpUrl('Token URL'),
      clientId: z.string().min(1).max(1024).meta({ title: 'Client id' }),
      clientSecret: secret({ title: 'Client secret' }).optional(),
      privateKey: secret({ title: 'Private key', description: 'In place of a client secret: PEM (PKCS #8) or a JWK. Signs an assertion for each request (RFC 7523).' }).optional(),
      clientAuth: z.enum(['basic', 'post', 'private-key-jwt']).optional().meta({ title: 'Client authentication', description: 'basic for a client secret, private-key-jwt for a private key, when absent.' }),
      scopes: scopes.optional().meta({ title: 'Scopes' }),
      audience: z.string().min(1).max(2048).optional().meta({ title: 'Audience', description: 'What some providers want in place of resource.' }),
      resource: httpUrl('Resource').optional().meta({ description: 'RFC 8707: what the token is for.' }),
    })
    .meta({ title: 'OAuth 2.1 client credentials' });

const complete = fields(completeSecret).superRefine(({ clientSecret, privateKey, clientAuth }, context) => {
  const wantsKey = clientAuth === undefined ? privateKey !== undefined : clientAuth === 'private-key-jwt';
  const [wanted, other] = wantsKey ? (['privateKey', 'clientSecret'] as const) : (['clientSecret', 'privateKey'] as const);
  const given = { clientSecret, privateKey };
  if (given[wanted] === undefined) context.addIssue({ code: 'custom', path: [wanted], message: 'is required' });
  if (given[other] !== undefined) context.addIssue({ code: 'custom', path: [other], message: `must not be given together with ${wantsKey ? 'private-key-jwt' : 'a client secret'}` });
});

type Config = z.output<typeof complete>;

export const oauthClientCredentials = appAuthType({
  type: 'oauth-client-credentials',
  title: 'OAuth 2.1 client credentials',
  description: 'A token of the gateway’s own (RFC 6749 section 4.4), fetched when it is needed and kept until shortly before it expires.',
  writable: fields(writableSecret),
  complete,
  readable: fields(readableSecret),
  prepare: (config) => {
    const name = nameOf(config);
    const obtainToken = (fetch: FetchTokens): Promise<AccessToken> => requestToken(config, fetch);
    return {
      type: 'oauth-client-credentials',
      headerNames: ['Authorization'],
      storesCredential: true,
      wouldCall: `POST ${originAndPath(config.tokenUrl)}`,
      obtain: ({ tokens, refused }) => {
        if (tokens === undefined) throw new GatewayError('credential_unavailable', { detail: 'no token can be fetched from here' });
        return credentialOfToken(tokens.ofClient(name, obtainToken, refused));
      },
    };
  },
});

/** Servers with the same client share its tokens; whatever is another, its tokens are others. */
function nameOf({ clientSecret, privateKey, ...rest }: Config): string {
  return hash('sha256', JSON.stringify([rest, clientSecret?.reveal(), privateKey?.reveal()]), 'base64url');
}

/** @throws GatewayError provider_unavailable, credential_unavailable */
async function requestToken({ tokenUrl, clientId, clientSecret, privateKey, clientAuth, scopes: wanted, audience, resource }: Config, fetch: FetchTokens): Promise<AccessToken> {
  const client = { tokenUrl, clientId, authentication: authenticationOf(clientAuth, clientSecret, privateKey), resource, fetch };
  try {
    const { accessToken, expiresInSeconds } = await clientCredentials(client, { scopes: wanted, audience });
    return { value: accessToken, expiresAt: expiresInSeconds === undefined ? undefined : Date.now() + expiresInSeconds * 1000, subjects: [] };
  } catch (error) {
    if (!(error instanceof OAuthFailure)) throw error;
    throw new GatewayError(error.kind === 'unavailable' ? 'provider_unavailable' : 'credential_unavailable', { detail: error.message, cause: error });
  }
}

function authenticationOf(method: Config['clientAuth'], secret: Secret | undefined, key: Secret | undefined): ClientAuthentication {
  if (key !== undefined) return { method: 'private-key-jwt', key };
  return { method: method === 'post' ? 'post' : 'basic', secret: secret as Secret };
}

function originAndPath(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
