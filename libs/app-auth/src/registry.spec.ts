import { readdirSync } from 'node:fs';
import { takeSecrets } from '@gatehouse/config-fields';
import { describe, expect, it } from 'vitest';
import { appAuthTypes, completeAppAuth, prepareAppAuth, writableAppAuth } from './registry.ts';

const credentialsOf = async (config: unknown): Promise<string[]> => {
  const prepared = prepareAppAuth(completeAppAuth.parse(config));
  return (await prepared.obtain({})).map((credential) => (credential.in === 'signature' ? 'signature' : `${credential.in} ${credential.name}: ${credential.value.reveal()}`));
};

const pointersOf = (schema: typeof writableAppAuth | typeof completeAppAuth, config: unknown): string[] =>
  schema.safeParse(config).error?.issues.map(({ path, message }) => `/${path.join('/')} ${message}`) ?? [];

describe('every type', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => !/spec|index|registry|app-auth-type|header-bytes|credential-|insert-credentials|remove-header|sign/.test(name));
  it('has a file, and is registered', () => {
    expect(files.sort()).toEqual(appAuthTypes.map(({ type }) => `${type}.ts`).sort());
  });
});

describe('the credential of', () => {
  it.each<[string, unknown, string[]]>([
    ['none', { type: 'none' }, []],
    ['passthrough: the caller brings it', { type: 'passthrough' }, []],
    ['api-key in a header', { type: 'api-key', name: 'X-API-Key', in: 'header', value: 'k' }, ['header X-API-Key: k']],
    ['api-key in the query', { type: 'api-key', name: 'api key', in: 'query', value: 'k&=' }, ['query api key: k&=']],
    ['bearer', { type: 'bearer', token: 't' }, ['header Authorization: Bearer t']],
    ['basic, RFC 7617 section 2', { type: 'basic', username: 'Aladdin', password: 'open sesame' }, ['header Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==']],
    ['basic in UTF-8, RFC 7617 section 2.1', { type: 'basic', username: 'test', password: '123£' }, ['header Authorization: Basic dGVzdDoxMjPCow==']],
    ['custom-headers', { type: 'custom-headers', headers: [{ name: 'X-A', value: '1' }, { name: 'X-B', value: '' }] }, ['header X-A: 1', 'header X-B: ']],
    ['aws-sigv4: of the request that leaves', { type: 'aws-sigv4', region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's' }, ['signature']],
    ['a value in Latin-1', { type: 'api-key', name: 'X', in: 'header', value: 'é' }, ['header X: é']],
    ['a value beyond Latin-1, as its UTF-8 bytes', { type: 'api-key', name: 'X', in: 'header', value: '€' }, ['header X: \u00e2\u0082\u00ac']],
  ])('%s', async (_name, config, expected) => {
    expect(await credentialsOf(config)).toEqual(expected);
  });
});

describe('custom-headers as written (P20)', () => {
  const namesAndSecrets = (config: unknown): unknown[] => {
    const { document, secrets } = takeSecrets({ appAuth: writableAppAuth.parse(config) });
    return [(document['appAuth'] as { headers: { name: string }[] }).headers.map(({ name }) => name), [...secrets.keys()]];
  };
  const location = (name: string): string => `/appAuth[custom-headers]/headers[${name}]/value`;

  it('of two rows with one name (without case) the last counts, rows without a name are ignored', () => {
    const headers = [{ name: 'X-A', value: '1' }, { name: '', value: 'lost' }, { name: 'x-a', value: '2' }];
    expect(namesAndSecrets({ type: 'custom-headers', headers })).toEqual([['x-a'], [location('x-a')]]);
  });

  it('takes the legacy single pair, and the list where both are given', () => {
    expect(namesAndSecrets({ type: 'custom-headers', name: 'X-Old', value: 'v' })).toEqual([['X-Old'], [location('x-old')]]);
    expect(namesAndSecrets({ type: 'custom-headers', name: 'X-Old', value: 'v', headers: [{ name: 'X-New', value: 'w' }] })).toEqual([['X-New'], [location('x-new')]]);
  });

  it.each([
    ['no header', { type: 'custom-headers', headers: [] }],
    ['only rows without a name', { type: 'custom-headers', headers: [{ name: '', value: 'x' }] }],
    ['nothing at all', { type: 'custom-headers' }],
    ['101 headers', { type: 'custom-headers', headers: Array.from({ length: 101 }, (_, index) => ({ name: `X-${index}`, value: 'v' })) }],
  ])('refuses %s', (_name, config) => {
    expect(pointersOf(writableAppAuth, config)).toEqual(['/headers needs at least one and at most 100 headers with a name']);
  });

  it('takes 100 headers, and any RFC 9110 token as a name', () => {
    expect(writableAppAuth.safeParse({ type: 'custom-headers', headers: Array.from({ length: 100 }, (_, index) => ({ name: `X-${index}`, value: 'v' })) }).success).toBe(true);
    expect(writableAppAuth.safeParse({ type: 'custom-headers', headers: [{ name: "!#$%&'*+-.^_`|~0aA", value: 'v' }] }).success).toBe(true);
  });
});

describe('what is refused', () => {
  it.each([
    ['a name that is no token', { type: 'api-key', name: 'X Key', in: 'header', value: 'v' }, '/name'],
    ['a framing header', { type: 'api-key', name: 'Content-Length', in: 'header', value: 'v' }, '/name'],
    ['a framing header in another spelling', { type: 'api-key', name: 'transfer_encoding', in: 'header', value: 'v' }, '/name'],
    ['the protocol’s own header', { type: 'custom-headers', headers: [{ name: 'Mcp-Session-Id', value: 'v' }] }, '/headers/0/name'],
    ['the gateway’s own header', { type: 'api-key', name: 'X-Gatehouse-Key', in: 'header', value: 'v' }, '/name'],
    ['a line break in a value', { type: 'api-key', name: 'X', in: 'header', value: 'a\r\nX: b' }, '/value'],
    ['a NUL in a token', { type: 'bearer', token: 'a\0' }, '/token'],
    ['an empty token', { type: 'bearer', token: '' }, '/token'],
    ['a colon in a user name', { type: 'basic', username: 'a:b', password: 'p' }, '/username'],
    ['no app', { type: 'oauth-authorization-code' }, '/app'],
    ['an app, and none', { type: 'oauth-authorization-code', app: 'github', discover: true }, '/discover'],
    ['a scope with a space', { type: 'oauth-authorization-code', app: 'github', scopes: ['repo user'] }, '/scopes/0'],
    ['a token URL that is none', { type: 'oauth-client-credentials', tokenUrl: 'ftp://x', clientId: 'c' }, '/tokenUrl'],
    ['a service that is none', { type: 'aws-sigv4', region: 'eu-central-1', service: 'execute/api', accessKeyId: 'a', secretAccessKey: 's' }, '/service'],
    ['a line break in a session token', { type: 'aws-sigv4', region: 'eu-central-1', service: 's3', accessKeyId: 'a', secretAccessKey: 's', sessionToken: 'a\nb' }, '/sessionToken'],
    ['an exchange without effect', { type: 'on-behalf-of', tokenUrl: 'https://provider.example/token', clientId: 'c', target: {} }, '/target'],
    ['an unknown type', { type: 'kerberos' }, '/type'],
    ['an unknown field', { type: 'bearer', token: 't', tokn: 'u' }, '/'],
  ])('%s', (_name, config, pointer) => {
    const found = pointersOf(writableAppAuth, config).map((problem) => problem.split(' ')[0]);
    expect(found).toContain(pointer);
  });

  it('never with the value in the message', () => {
    const found = pointersOf(writableAppAuth, { type: 'api-key', name: 'X', in: 'header', value: 'marked\nsecret' });
    expect(found.join()).not.toContain('marked');
  });

  it.each([
    [{ clientSecret: 's', privateKey: 'k' }, '/clientSecret must not be given together with private-key-jwt'],
    [{}, '/clientSecret is required'],
    [{ clientSecret: 's', clientAuth: 'private-key-jwt' }, '/privateKey is required'],
    [{ privateKey: 'k', clientAuth: 'post' }, '/clientSecret is required'],
  ])('a client that could not say who it is: %j', (more, problem) => {
    expect(pointersOf(completeAppAuth, { type: 'oauth-client-credentials', tokenUrl: 'https://provider.example/token', clientId: 'c', ...more })).toContain(problem);
  });

  it('a secret that is missing, when everything must be there', () => {
    expect(pointersOf(completeAppAuth, { type: 'api-key', name: 'X', in: 'header' })).toEqual(['/value is required']);
  });
});
