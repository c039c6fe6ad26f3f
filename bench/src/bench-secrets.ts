import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { issueServiceAccountKey } from '@gatehouse/agent-auth';
import type { PublicSigningKey } from '@gatehouse/gateway-config';
import { connectedPath, interactivePath } from './sample-call.ts';

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
  /** `Authorization` of a person: an access token of the agents' authorization server for the interactive server. */
  readonly personAuthorization: string;
  /** The same person's for the server with a connection. */
  readonly connectedAuthorization: string;
  /** What both are verified with. */
  readonly personKey: PublicSigningKey;
  /** Of the snapshot. */
  readonly snapshotKey: Buffer;
}

export function makeSecrets(): BenchSecrets {
  const account = issueServiceAccountKey();
  return { ...makeToken(), ...makePerson(), account, authorization: `Bearer ${account.key.reveal()}`, upstreamKey: randomBytes(24).toString('base64url'), snapshotKey: randomBytes(32) };
}

export const tokenIssuer = 'https://login.example/realms/agents';
export const tokenAudience = 'https://orders.example';
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function makeToken(): Pick<BenchSecrets, 'tokenAuthorization' | 'tokenKeys'> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: tokenIssuer, aud: tokenAudience, sub: '2f0c7a14-9f5e-4c0b-8a55-2d9e1a0f7c31', iat: now, exp: now + 86_400, jti: 'b5f1e9a2-58c7-4f0e-9d7b-0c3f6a1e8d24',
    azp: 'agent-platform', scope: 'openid profile email orders:read', name: 'Ana Example', email: 'ana@example.com', groups: ['sales', 'emea'],
  };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'bench' })}.${encode(claims)}`;
  const token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  return { tokenAuthorization: `Bearer ${token}`, tokenKeys: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] }) };
}

export const authorizationServer = 'http://localhost:3000';

/** A token as the control plane issues them (RFC 9068), for the data planes' default URL. */
function makePerson(): Pick<BenchSecrets, 'personAuthorization' | 'connectedAuthorization' | 'personKey'> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Math.floor(Date.now() / 1000);
  const claimsFor = (path: string) => ({
    iss: authorizationServer, aud: `http://localhost:3001${path}`, sub: '01919e1c-6d3a-7c52-9f6e-2b8a54f0c1d2', iat: now, exp: now + 86_400, jti: 'b5f1e9a2-58c7-4f0e-9d7b-0c3f6a1e8d24',
    client_id: 'https://client.example/metadata.json', grant: '8c1f2e9b-3c58-4a5e-8f43-7d0be4a5f611', scope: 'orders:read', idp: 'corporate', name: 'Ana Example', email: 'ana@example.com', groups: ['sales', 'emea'],
  });
  const authorizationFor = (path: string): string => {
    const signed = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })}.${encode(claimsFor(path))}`;
    return `Bearer ${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return { personAuthorization: authorizationFor(interactivePath), connectedAuthorization: authorizationFor(connectedPath), personKey: { kty: 'EC', crv: 'P-256', x, y, kid: 'bench', alg: 'ES256', use: 'sig' } };
}
