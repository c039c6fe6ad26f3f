import { Secret } from '@gatehouse/sealing';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../egress/src/testing/self-signed-certificate.ts';
import { redisSettings } from './redis-settings.ts';
import { InvalidRedisUrlError, parseRedisUrl, type RedisPlace } from './redis-url.ts';

const place = (more: Partial<RedisPlace>): RedisPlace => ({
  kind: 'single', hosts: [{ host: 'redis', port: 6379 }], tls: false, username: undefined, password: undefined, db: 0,
  masterName: undefined, sentinelUsername: undefined, sentinelPassword: undefined, ...more,
});

describe('a URL of Redis', () => {
  it.each<[string, Partial<RedisPlace>]>([
    ['redis://redis', {}],
    ['redis://redis:7000/', { hosts: [{ host: 'redis', port: 7000 }] }],
    ['rediss://:p%40ss%2Fword@redis/3', { tls: true, password: 'p@ss/word', db: 3 }],
    ['redis://some@one:a:b@redis', { username: 'some@one', password: 'a:b' }],
    ['redis://[2001:db8::1]:6380', { hosts: [{ host: '2001:db8::1', port: 6380 }] }],
    ['REDIS+Sentinel://one,two:26380/main', { kind: 'sentinel', hosts: [{ host: 'one', port: 26_379 }, { host: 'two', port: 26_380 }], masterName: 'main' }],
    [
      'rediss+sentinel://user:word@[::1],two/my%20main/2?sentinel_username=watcher&sentinel_password=other%26',
      {
        kind: 'sentinel', tls: true, username: 'user', password: 'word', hosts: [{ host: '::1', port: 26_379 }, { host: 'two', port: 26_379 }],
        masterName: 'my main', db: 2, sentinelUsername: 'watcher', sentinelPassword: 'other&',
      },
    ],
    ['redis+cluster://one:7000, two', { kind: 'cluster', hosts: [{ host: 'one', port: 7000 }, { host: 'two', port: 6379 }] }],
    ['rediss+cluster://user:word@one/0', { kind: 'cluster', tls: true, username: 'user', password: 'word', hosts: [{ host: 'one', port: 6379 }] }],
  ])('%s', (text, expected) => {
    expect(parseRedisUrl(text)).toEqual(place(expected));
  });

  it.each([
    ['nothing', ''],
    ['another scheme', 'http://:hunter2@redis:6379'],
    ['another topology', 'redis+ring://:hunter2@redis:6379'],
    ['no host', 'redis://:hunter2@'],
    ['a host that is missing', 'redis+cluster://:hunter2@one,,two'],
    ['a port that is none', 'redis://:hunter2@redis:70000'],
    ['an address without brackets', 'redis://:hunter2@2001:db8::1'],
    ['several hosts of one Redis', 'redis://:hunter2@one,two'],
    ['sentinels without a master', 'redis+sentinel://:hunter2@one,two'],
    ['a database that is no number', 'redis://:hunter2@redis/main'],
    ['a database of a cluster', 'redis+cluster://:hunter2@one/1'],
    ['a password that is not encoded', 'redis://:hunter2/x@redis'],
    ['a password that is encoded wrongly', 'redis://:hunter2%@redis'],
    ['an unknown parameter', 'redis://redis?password=hunter2'],
  ])('with %s is refused, and not quoted', (_name, text) => {
    expect(() => parseRedisUrl(text)).toThrowError(InvalidRedisUrlError);
    expect(() => parseRedisUrl(text)).not.toThrowError(/hunter2/);
    const refused = redisSettings.REDIS_URL.schema.safeParse(new Secret(text));
    expect(refused.success).toBe(false);
    expect(refused.error?.issues[0]?.message).not.toMatch(/hunter2|^Invalid/);
  });
});

describe('certificates', () => {
  const [one, other] = [selfSignedCertificate(), selfSignedCertificate()];
  const isTaken = (setting: 'REDIS_CA' | 'REDIS_CLIENT_CERTIFICATE', text: string): boolean => redisSettings[setting].schema.safeParse(new Secret(text)).success;

  it.each<[string, 'REDIS_CA' | 'REDIS_CLIENT_CERTIFICATE', string, boolean]>([
    ['one authority', 'REDIS_CA', one.cert, true],
    ['two', 'REDIS_CA', one.cert + other.cert, true],
    ['none', 'REDIS_CA', 'certificate', false],
    ['one and a broken one', 'REDIS_CA', `${one.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, false],
    ['a pair', 'REDIS_CLIENT_CERTIFICATE', one.cert + one.key, true],
    ['a pair, key first', 'REDIS_CLIENT_CERTIFICATE', one.key + one.cert, true],
    ['a certificate alone', 'REDIS_CLIENT_CERTIFICATE', one.cert, false],
    ['another one’s key', 'REDIS_CLIENT_CERTIFICATE', one.cert + other.key, false],
  ])('%s as %s', (_name, setting, text, expected) => {
    expect(isTaken(setting, text)).toBe(expected);
  });
});
