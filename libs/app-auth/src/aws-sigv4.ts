import { completeSecret, readableSecret, type SecretField, writableSecret } from '@gatehouse/config-fields';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import { appAuthType, type SigningCredential } from './app-auth-type.ts';
import { fitForHeader } from './credential-fields.ts';
import { amzDateOf, bodyHashOf, Sigv4Signer } from './sigv4-signer.ts';

const scopePart = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const scopeMessage = 'must be letters, digits, hyphens, dots and underscores';

const fields = <S extends z.ZodType>(secret: SecretField<S>) =>
  z
    .strictObject({
      type: z.literal('aws-sigv4'),
      region: z.string().regex(scopePart, scopeMessage).meta({ title: 'Region', description: 'Such as eu-central-1.' }),
      service: z.string().regex(scopePart, scopeMessage).meta({ title: 'Service', description: 'As in signatures: execute-api for API Gateway, lambda for function URLs, bedrock-agentcore, aoss, s3, …' }),
      accessKeyId: z.string().regex(/^\w{1,128}$/, 'must be letters, digits and underscores').meta({ title: 'Access key id' }),
      secretAccessKey: secret({ title: 'Secret access key' }),
      sessionToken: fitForHeader(secret({ title: 'Session token', description: 'Of temporary credentials only.' }).optional()),
    })
    .meta({ title: 'AWS Signature Version 4' });

const complete = fields(completeSecret);

export const awsSigv4 = appAuthType({
  type: 'aws-sigv4',
  title: 'AWS Signature Version 4',
  description: 'Each request is signed with an access key, for upstreams behind AWS IAM. The key itself is never sent.',
  writable: fields(writableSecret),
  complete,
  readable: fields(readableSecret),
  prepare: (config) => {
    const credentials = [signatureOf(config)];
    return {
      type: 'aws-sigv4',
      credentialKind: 'signed',
      headerNames: ['Authorization', 'X-Amz-Date', 'X-Amz-Content-Sha256', 'X-Amz-Security-Token'],
      storesCredential: true,
      signsBody: true,
      obtain: () => credentials,
    };
  },
});

function signatureOf({ sessionToken, ...options }: z.output<typeof complete>): SigningCredential {
  const signer = new Sigv4Signer(options);
  const ofSession = sessionToken === undefined ? [] : ([['X-Amz-Security-Token', sessionToken]] as const);
  return {
    in: 'signature',
    headerNames: ['X-Amz-Date', 'X-Amz-Content-Sha256', ...ofSession.map(([name]) => name), 'Authorization'],
    sign: (request) => {
      const date = amzDateOf(Date.now());
      const bodyHash = bodyHashOf(request.body);
      // Some services insist on the hash (S3, OpenSearch Serverless), and none minds it.
      const added = [['X-Amz-Date', new Secret(date)], ['X-Amz-Content-Sha256', new Secret(bodyHash)], ...ofSession] as const;
      const headers = [...request.headers, ...added.flatMap(([name, value]) => [name, value.reveal()])];
      return [...added, ['Authorization', new Secret(signer.authorize({ ...request, headers }, date, bodyHash))]];
    },
  };
}
