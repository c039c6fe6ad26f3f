import { GatewayError } from '@gatehouse/errors';
import { expect, it } from 'vitest';
import { isConnectFailure, tlsProblem, toUpstreamError } from './upstream-error.ts';

const systemError = (code: string, more: object = {}): Error => Object.assign(new Error('https://user:pass@host/?key=s3cret'), { code, ...more });

it.each([
  ['ECONNREFUSED', 'upstream_unreachable'],
  ['ENOTFOUND', 'upstream_unreachable'],
  ['EHOSTUNREACH', 'upstream_unreachable'],
  ['CERT_HAS_EXPIRED', 'upstream_unreachable'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'upstream_unreachable'],
  ['UND_ERR_CONNECT_TIMEOUT', 'upstream_timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'upstream_timeout'],
  ['ECONNRESET', 'upstream_failed'],
  ['HPE_INVALID_CONSTANT', 'upstream_failed'],
  ['UND_ERR_INVALID_ARG', 'internal'],
  ['toString', 'internal'],
])('%s is %s, without a word of the message', (code, expected) => {
  const error = toUpstreamError(systemError(code));
  expect(error.code).toBe(expected);
  expect(error.detail ?? '').not.toMatch(/pass|s3cret/);
});

it('finds what is wrapped: causes, and one error per address', () => {
  const refused = new GatewayError('upstream_address_refused');
  expect(toUpstreamError(new TypeError('fetch failed', { cause: refused }))).toBe(refused);
  expect(toUpstreamError(new AggregateError([systemError('ECONNREFUSED'), systemError('ENETUNREACH')]))).toMatchObject({ code: 'upstream_unreachable' });
  expect(toUpstreamError(new DOMException('', 'TimeoutError'))).toMatchObject({ code: 'upstream_timeout' });
  expect(toUpstreamError('text')).toMatchObject({ code: 'internal' });
});

it('tells TLS problems from others', () => {
  expect(tlsProblem(systemError('DEPTH_ZERO_SELF_SIGNED_CERT'))).toContain('self-signed');
  expect(tlsProblem(systemError('EPROTO', { reason: 'wrong version number' }))).toContain('wrong version number');
  expect(tlsProblem(systemError('ECONNRESET', { localAddress: undefined }))).toContain('during the TLS handshake');
  expect(tlsProblem(systemError('ECONNRESET'))).toBeUndefined();
});

it.each([
  ['ECONNREFUSED', {}, true],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', {}, true],
  ['UND_ERR_CONNECT_TIMEOUT', {}, true],
  ['ETIMEDOUT', { syscall: 'connect' }, true],
  ['ETIMEDOUT', { syscall: 'read' }, false],
  ['UND_ERR_HEADERS_TIMEOUT', {}, false],
  ['ECONNRESET', {}, false],
])('%s %o: no connection came about is %s', (code, more, expected) => {
  expect(isConnectFailure(toUpstreamError(systemError(code, more)))).toBe(expected);
});
