import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { issueServiceAccountKey } from '@gatehouse/agent-auth';

/** The secrets of one run: what the caller shows, and what the upstream must get instead. */
export interface BenchSecrets {
  readonly account: ReturnType<typeof issueServiceAccountKey>;
  /** `Authorization` of the caller. */
  readonly authorization: string;
  readonly upstreamKey: string;
  /** `Authorization` of a caller with a token of its own, about as large as those of identity providers. */
  readonly tokenAuthorization: string;
  /** The keys it is verified with, as a JWKS. */
  readonly tokenKeys: string;
  /** Of the snapshot. */
  readonly snapshotKey: Buffer;
}

export function makeSecrets(): BenchSecrets {
  const account = issueServiceAccountKey();
  return { ...makeToken(), account, authorization: `Bearer ${account.key.reveal()}`, upstreamKey: randomBytes(24).toString('base64url'), snapshotKey: randomBytes(32) };
}

export const tokenIssuer = 'https://login.example/realms/agents';
export const tokenAudience = 'https://orders.example';

function makeToken(): Pick<BenchSecrets, 'tokenAuthorization' | 'tokenKeys'> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: tokenIssuer, aud: tokenAudience, sub: '2f0c7a14-9f5e-4c0b-8a55-2d9e1a0f7c31', iat: now, exp: now + 86_400, jti: 'b5f1e9a2-58c7-4f0e-9d7b-0c3f6a1e8d24',
    azp: 'agent-platform', scope: 'openid profile email orders:read', name: 'Ana Example', email: 'ana@example.com', groups: ['sales', 'emea'],
  };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'bench' })}.${encode(claims)}`;
  const token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  return { tokenAuthorization: `Bearer ${token}`, tokenKeys: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] }) };
}
