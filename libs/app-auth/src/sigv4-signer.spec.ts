import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { amzDateOf, Sigv4Signer } from './sigv4-signer.ts';

const time = Date.parse('2015-08-30T12:36:00Z');
const date = amzDateOf(time);
const account = { region: 'us-east-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY') };
const signer = new Sigv4Signer({ ...account, service: 'service' });
const session = 'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

const signedWith = (headers: readonly string[], path: string, method = 'GET', body?: string): [names: string, signature: string] => {
  const text = signer.authorize({ method, url: `https://example.amazonaws.com${path}`, headers: [...headers, 'X-Amz-Date', date], body }, date);
  const [, names = '', signature = ''] = /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/us-east-1\/service\/aws4_request, SignedHeaders=(\S+), Signature=(\S+)$/.exec(text) ?? [];
  return [names, signature];
};

const vanilla = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';

describe('AWS’s own test suite (aws-sig-v4-test-suite)', () => {
  it.each<[string, string, string[], string, string, string | undefined, string]>([
    ['get-vanilla', 'GET', [], '/', 'host;x-amz-date', undefined, vanilla],
    ['get-vanilla-query-order-key-case', 'GET', [], '/?Param2=value2&Param1=value1', 'host;x-amz-date', undefined, 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'],
    ['get-vanilla-query-unreserved', 'GET', [], '/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 'host;x-amz-date', undefined, '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197'],
    ['get-vanilla-utf8-query', 'GET', [], '/?ሴ=bar', 'host;x-amz-date', undefined, '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04'],
    ['get-header-key-duplicate', 'GET', ['My-Header1', 'value2', 'My-Header1', 'value2', 'My-Header1', 'value1'], '/', 'host;my-header1;x-amz-date', undefined, 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea'],
    ['get-header-value-trim', 'GET', ['My-Header1', ' value1', 'My-Header2', ' "a   b   c"'], '/', 'host;my-header1;my-header2;x-amz-date', undefined, 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736'],
    ['get-utf8', 'GET', [], '/ሴ', 'host;x-amz-date', undefined, '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85'],
    ['get-space', 'GET', [], '/example space/', 'host;x-amz-date', undefined, '652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741'],
    ['get-unreserved', 'GET', [], '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 'host;x-amz-date', undefined, '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f'],
    ['get-slash', 'GET', [], '//', 'host;x-amz-date', undefined, vanilla],
    ['get-slashes', 'GET', [], '//example//', 'host;x-amz-date', undefined, '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
    ['get-slash-dot-slash', 'GET', [], '/./', 'host;x-amz-date', undefined, vanilla],
    ['get-slash-pointless-dot', 'GET', [], '/./example', 'host;x-amz-date', undefined, 'ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5'],
    ['get-relative', 'GET', [], '/example/..', 'host;x-amz-date', undefined, vanilla],
    ['get-relative-relative', 'GET', [], '/example1/example2/../..', 'host;x-amz-date', undefined, vanilla],
    ['post-vanilla', 'POST', [], '/', 'host;x-amz-date', undefined, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    ['post-vanilla-query', 'POST', [], '/?Param1=value1', 'host;x-amz-date', undefined, '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11'],
    ['post-header-key-sort', 'POST', ['My-Header1', 'value1'], '/', 'host;my-header1;x-amz-date', undefined, 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c'],
    ['post-header-value-case', 'POST', ['My-Header1', 'VALUE1'], '/', 'host;my-header1;x-amz-date', undefined, 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d'],
    ['post-sts-header-before', 'POST', ['X-Amz-Security-Token', session], '/', 'host;x-amz-date;x-amz-security-token', undefined, '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead'],
    ['post-x-www-form-urlencoded', 'POST', ['Content-Type', 'application/x-www-form-urlencoded'], '/', 'content-type;host;x-amz-date', 'Param1=value1', 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a'],
    ['post-x-www-form-urlencoded-parameters', 'POST', ['Content-Type', 'application/x-www-form-urlencoded; charset=utf8'], '/', 'content-type;host;x-amz-date', 'Param1=value1', '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe'],
  ])('%s', (_name, method, headers, path, names, body, signature) => {
    expect(signedWith(headers, path, method, body)).toEqual([names, signature]);
  });
});

it.each([
  ['are neither shortened nor encoded again', '/a//b/../c%20d', '/a//b/../c%20d'],
  ['are encoded in one way', "/a+b/(c)/%7e/%c3%bc", '/a%2Bb/%28c%29/~/%C3%BC'],
])('paths of objects %s', (_, path, canonical) => {
  const ofObjects = new Sigv4Signer({ ...account, service: 's3' });
  const authorize = (of: string): string => ofObjects.authorize({ method: 'GET', url: `https://b.example${of}`, headers: ['X-Amz-Date', date], body: undefined }, date);
  expect(authorize(path)).toBe(authorize(canonical));
  expect(authorize(path)).not.toBe(authorize('/a/c%20d'));
});

it('a key is for its day', () => {
  const authorize = (at: string): string => signer.authorize({ method: 'GET', url: 'https://b.example/', headers: [], body: undefined }, amzDateOf(Date.parse(at)));
  const first = authorize('2015-08-30T23:59:59Z');
  const second = authorize('2015-08-31T00:00:00Z');
  expect(second).toContain('/20150831/us-east-1/');
  expect([authorize('2015-08-30T23:59:59Z'), authorize('2015-08-31T00:00:00Z')]).toEqual([first, second]);
});
