import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';
import { z } from 'zod';
import type { RedisAccess } from './redis-connection.ts';
import { InvalidRedisUrlError, parseRedisUrl, redisUrlForms } from './redis-url.ts';

const checked = (check: (text: string) => void, problem: string) =>
  z.instanceof(Secret).superRefine((value, context) => {
    try {
      check(value.reveal());
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof InvalidRedisUrlError ? error.message : problem });
    }
  });

/** What a plane that uses Redis is told of it; each is `GATEHOUSE_<name>`. */
export const redisSettings = {
  REDIS_URL: { schema: checked(parseRedisUrl, 'is not valid').optional(), secret: true, description: `Redis between the planes: ${redisUrlForms}` },
  REDIS_CA: {
    schema: checked(checkCertificates, 'must be certificates in PEM').optional(),
    secret: true,
    description: 'Certificates (PEM) of the authority that Redis’ own is of, instead of the public ones',
  },
  REDIS_CLIENT_CERTIFICATE: {
    schema: checked(checkClientCertificate, 'must be a certificate and its private key, one after the other, in PEM').optional(),
    secret: true,
    description: 'Certificate and private key (PEM, in one file) that are shown to a Redis that asks for them',
  },
} as const;

interface RedisSettingValues {
  readonly REDIS_URL?: Secret | undefined;
  readonly REDIS_CA?: Secret | undefined;
  readonly REDIS_CLIENT_CERTIFICATE?: Secret | undefined;
}

/** @returns what connections are opened with; `undefined` where no Redis is named */
export function redisAccessOf({ REDIS_URL: url, REDIS_CA: ca, REDIS_CLIENT_CERTIFICATE: clientCertificate }: RedisSettingValues): RedisAccess | undefined {
  return url && { url, ca, clientCertificate };
}

function checkCertificates(text: string): void {
  const certificates = text.split(/(?=-----BEGIN CERTIFICATE-----)/).filter((part) => part.trim() !== '');
  if (certificates.length === 0) throw new Error('no certificate');
  for (const certificate of certificates) new X509Certificate(certificate);
}

function checkClientCertificate(text: string): void {
  const certificate = text.slice(text.indexOf('-----BEGIN CERTIFICATE-----'));
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/.exec(text)?.[0] ?? '';
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) throw new Error('not a pair');
}
