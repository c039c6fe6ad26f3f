import { takeSecrets } from '@gatehouse/config-fields';
import { describe, expect, it } from 'vitest';
import { completeExchange, writableExchange } from './exchange-config.ts';

const client = { type: 'on-behalf-of', tokenUrl: 'https://provider.example/token', clientId: 'gateway', clientSecret: 's' };
const idJag = { ...client, grant: 'id-jag', audience: 'https://as.example' };
const pointers = (schema: typeof completeExchange | typeof writableExchange, config: object): string[] => schema.safeParse(config).error?.issues.map(({ path }) => `/${path.join('/')}`) ?? [];

describe('taken', () => {
  it.each<[string, object]>([
    ['a client alone', client],
    ['everything of RFC 8693', { ...client, grant: 'token-exchange', subject: 'caller-token', audience: 'a', resource: 'https://r.example', scopes: ['read'], requestedTokenType: 'urn:ietf:params:oauth:token-type:jwt', actor: { token: 't' } }],
    ['an actor that is the client', { ...client, actor: 'client' }],
    ['Entra’s', { ...client, grant: 'jwt-bearer', clientAuth: 'post', scopes: ['https://graph.microsoft.com/.default'] }],
    ['an ID-JAG for the same client', idJag],
    ['an ID-JAG for a client of the target’s', { ...idJag, target: { clientId: 'there', clientSecret: 't' } }],
    ['an ID-JAG for an audience that is no URL', { ...idJag, audience: 'as', target: { tokenUrl: 'https://as.example/token', clientId: 'there', clientSecret: 't' } }],
    ['an ID-JAG for the same client, at another endpoint of the same server', { ...idJag, target: { tokenUrl: 'https://provider.example/other/token' } }],
    ['an ID-JAG for the same client elsewhere, which signs', { ...idJag, clientSecret: undefined, privateKey: 'k', target: { tokenUrl: 'https://as.example/token' } }],
    ['a client that signs', { ...client, clientSecret: undefined, privateKey: 'k' }],
  ])('%s', (_name, config) => {
    expect(pointers(completeExchange, config)).toEqual([]);
    expect(pointers(writableExchange, config)).toEqual([]);
  });
});

describe('refused as it is written', () => {
  it.each<[string, object, string[]]>([
    ['what has no effect with jwt-bearer', { ...client, grant: 'jwt-bearer', actor: 'client', audience: 'a', resource: 'https://r.example', requestedTokenType: 'urn:x', subjectTokenType: 'urn:x', target: {} }, ['/actor', '/requestedTokenType', '/subjectTokenType', '/target', '/audience', '/resource']],
    ['a target without an assertion for it', { ...client, target: { clientId: 'c' } }, ['/target']],
    ['an ID-JAG for nobody', { ...client, grant: 'id-jag' }, ['/audience']],
    ['an ID-JAG for an audience where no metadata can be', { ...idJag, audience: 'as' }, ['/audience']],
    ['a type that is no URI', { ...client, subjectTokenType: 'jwt' }, ['/subjectTokenType']],
    ['an unknown grant', { ...client, grant: 'password' }, ['/grant']],
    ['an unknown field', { ...client, audiance: 'a' }, ['/']],
  ])('%s', (_name, config, expected) => expect(pointers(writableExchange, config)).toEqual(expected));
});

describe('refused when everything must be there', () => {
  it.each<[string, object, string[]]>([
    ['no secret', { ...client, clientSecret: undefined }, ['/clientSecret']],
    ['a client of the target’s without a secret', { ...idJag, target: { clientId: 'there' } }, ['/target/clientSecret']],
    ['a secret that another server would see', { ...idJag, target: { tokenUrl: 'https://as.example/token' } }, ['/target/clientId']],
    ['a secret that another port would see', { ...idJag, clientAuth: 'post', target: { tokenUrl: 'https://provider.example:8443/token' } }, ['/target/clientId']],
    ['a secret of the target’s without a client', { ...idJag, target: { clientSecret: 't' } }, ['/target/clientId']],
  ])('%s', (_name, config, expected) => expect(pointers(completeExchange, config)).toEqual(expected));

  it('an actor without its token', () => expect(pointers(completeExchange, { ...client, actor: {} })).not.toEqual([]));
});

it('secrets are found wherever they are', () => {
  const { secrets } = takeSecrets({ appAuth: writableExchange.parse({ ...idJag, target: { clientId: 'there', clientSecret: 't' } }), outbound: writableExchange.parse({ ...client, actor: { token: 'a', tokenType: 'urn:x' } }) });
  expect([...secrets.keys()]).toEqual(['/appAuth[on-behalf-of]/clientSecret', '/appAuth[on-behalf-of]/target/clientSecret', '/outbound[on-behalf-of]/clientSecret', '/outbound[on-behalf-of]/actor/token']);
});
