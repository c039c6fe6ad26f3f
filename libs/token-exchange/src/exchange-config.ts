import { completeSecret, httpUrl, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { z } from 'zod';
import { checkClientSecrets, clientAuthenticationFields, clientFields, clientId, type ClientSecrets } from './client-fields.ts';
import { mayShareClient } from './may-share-client.ts';

const tokenType = (title: string, description: string) =>
  z.string().regex(/^[a-zA-Z][a-zA-Z0-9+.-]*:[\x21-\x7e]{1,200}$/, 'must be a URI, such as urn:ietf:params:oauth:token-type:jwt').meta({ title, description });

const shape = <S extends z.ZodType>(secret: SecretField<S>) => ({
  type: z.literal('on-behalf-of'),
  ...clientFields(secret),
  grant: z.enum(['token-exchange', 'jwt-bearer', 'id-jag']).optional().meta({
    title: 'Grant',
    description: 'token-exchange (RFC 8693, when absent), jwt-bearer (RFC 7523 as Microsoft Entra has it), or id-jag: an assertion of the identity provider, for which another authorization server gives the token.',
  }),
  subject: z.enum(['caller-token', 'identity-provider-token']).optional().meta({
    title: 'Subject',
    description: 'What is exchanged: the token that the caller came with, or the one that the caller’s identity provider gave when they logged in. When absent, the latter for people and the former for everybody else.',
  }),
  subjectTokenType: tokenType('Type of the subject token', 'An access token when absent, an ID token for id-jag.').optional(),
  requestedTokenType: tokenType('Requested type', 'What the provider does when nothing is said, when absent.').optional(),
  actor: z
    .union([
      z.literal('client'),
      z.strictObject({ token: secret({ title: 'Token' }), tokenType: tokenType('Type of the actor token', 'An access token when absent.').optional() }),
    ])
    .optional()
    .meta({ title: 'Actor', description: 'Who acts for the subject (RFC 8693 section 1.1): client for the gateway’s own client, by a token of its own, or a token. Nobody is named when absent.' }),
  target: z
    .strictObject({ tokenUrl: httpUrl('Token URL').optional(), clientId: clientId.optional(), ...clientAuthenticationFields(secret) })
    .optional()
    .meta({ title: 'Target', description: 'Of id-jag: the authorization server that gives the token. Its token URL is found at the audience, and the client is the same at both, when absent: one with a secret only where both token URLs are of one origin.' }),
});

const dpop = z.literal(true).optional().meta({ title: 'DPoP', description: 'Tokens are bound to a key of this data plane, which it proves to have with each request (RFC 9449). A provider that does not bind them may give others.' });

const title = { title: 'On behalf of the caller' };
const fields = <S extends z.ZodType>(secret: SecretField<S>) => z.strictObject(shape(secret)).superRefine(checkEffects).meta(title);
const boundFields = <S extends z.ZodType>(secret: SecretField<S>) => z.strictObject({ ...shape(secret), dpop }).superRefine(checkEffects).meta(title);

function checkEffects(config: Checked, context: z.RefinementCtx): void {
  for (const [field, message] of misfits(config)) context.addIssue({ code: 'custom', path: [field], message });
}

type Field = 'actor' | 'requestedTokenType' | 'subjectTokenType' | 'target' | 'audience' | 'resource';

/** What would have no effect would be missed later. */
const withoutEffect: Readonly<Record<'token-exchange' | 'jwt-bearer' | 'id-jag', readonly Field[]>> = {
  'token-exchange': ['target'],
  'jwt-bearer': ['actor', 'requestedTokenType', 'subjectTokenType', 'target', 'audience', 'resource'],
  'id-jag': ['actor', 'requestedTokenType'],
};

interface Checked extends Readonly<Partial<Record<Field, unknown>>> {
  readonly grant?: keyof typeof withoutEffect | undefined;
  readonly audience?: string | undefined;
  readonly target?: { readonly tokenUrl?: string | undefined } | undefined;
}

function misfits(config: Checked): [Field, string][] {
  const { grant = 'token-exchange', audience, target } = config;
  const found = withoutEffect[grant].filter((field) => config[field] !== undefined).map((field): [Field, string] => [field, `has no effect with the grant ${grant}`]);
  if (grant !== 'id-jag') return found;
  if (audience === undefined) found.push(['audience', 'is required: the issuer that the assertion is for']);
  else if (target?.tokenUrl === undefined && !/^https?:\/\//.test(audience)) found.push(['audience', 'must be a URL, or target.tokenUrl be given: the token endpoint is found there']);
  return found;
}

/** In three views of the secrets. */
export const writableExchange = fields(writableSecret);
export const readableExchange = fields(readableSecret);
export const completeExchange = fields(completeSecret).superRefine(checkSecrets);

/** Where a token may be bound to a key: one in a header of its own is sent without a proof. */
export const writableBoundExchange = boundFields(writableSecret);
export const readableBoundExchange = boundFields(readableSecret);
export const completeBoundExchange = boundFields(completeSecret).superRefine(checkSecrets);

export type ExchangeConfig = z.output<typeof completeExchange>;

interface Clients extends ClientSecrets {
  readonly tokenUrl: string;
  readonly target?: (ClientSecrets & { readonly tokenUrl?: string | undefined; readonly clientId?: string | undefined }) | undefined;
}

function checkSecrets(config: Clients, context: z.RefinementCtx): void {
  checkClientSecrets(config, context);
  const { target } = config;
  if (target === undefined) return;
  const hasSecrets = target.clientSecret !== undefined || target.privateKey !== undefined || target.clientAuth !== undefined;
  if (target.clientId !== undefined) checkClientSecrets(target, context, ['target']);
  else if (hasSecrets) context.addIssue({ code: 'custom', path: ['target', 'clientId'], message: 'is required with secrets of its own' });
  // One that is found at the audience is known once it has been found.
  else if (target.tokenUrl !== undefined && !mayShareClient(config, target.tokenUrl)) {
    context.addIssue({ code: 'custom', path: ['target', 'clientId'], message: 'is required: this client’s secret would be shown to another server than tokenUrl’s' });
  }
}
