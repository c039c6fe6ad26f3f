import { Secret } from '@gatehouse/sealing';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { verifyProof } from '../../../test/support/dpop-proof.ts';
import { DPoPKey } from './dpop-key.ts';
import { clientCredentials } from './grants.ts';
import { useTokenEndpoint } from './spec-support.ts';

const endpoint = useTokenEndpoint();
const bound = { body: '{"access_token":"A","token_type":"DPoP"}' };
const proofs = (): string[] => endpoint.received.map(({ headers }) => String(headers['dpop']));

describe('RFC 9449 section 5: at the token endpoint', () => {
  test('a proof of a key goes along, and the token is bound to it', async () => {
    endpoint.answer(bound);
    expect(await clientCredentials(endpoint.client({ dpop: new DPoPKey() }))).toMatchObject({ isBound: true });
    expect((await verifyProof(proofs()[0] ?? '', { method: 'POST', url: `${endpoint.url}/token` })).nonce).toBeUndefined();
  });

  test('a provider that does not bind tokens gives a bearer’s', async () => {
    endpoint.answer({ body: '{"access_token":"A","token_type":"Bearer"}' });
    expect(await clientCredentials(endpoint.client({ dpop: new DPoPKey() }))).not.toHaveProperty('isBound');
  });

  test('section 8: the nonce that it wants is in the next proof, once, and in those after it', async () => {
    const refusal = { status: 400, body: '{"error":"use_dpop_nonce"}', headers: { 'DPoP-Nonce': 'nonce-1' } };
    endpoint.answer(refusal, bound);
    const client = endpoint.client({ dpop: new DPoPKey() });
    await clientCredentials(client);
    await clientCredentials(client);
    expect(proofs().map((proof) => decodeJwt(proof)['nonce'])).toEqual([undefined, 'nonce-1', 'nonce-1']);
    endpoint.answer(refusal);
    await expect(clientCredentials(client)).rejects.toMatchObject({ error: 'use_dpop_nonce' });
    expect(endpoint.received.length).toBe(2);
  });

  test('without a key nothing is proven, and no bound token is taken', async () => {
    endpoint.answer(bound);
    await expect(clientCredentials(endpoint.client())).rejects.toMatchObject({ kind: 'misconfigured' });
    expect(proofs()).toEqual(['undefined']);
  });
});

describe('RFC 9449 section 7: with a token', () => {
  const key = new DPoPKey();
  const token = new Secret('the-token');
  const request = { method: 'POST', url: 'https://up.example/mcp?tenant=1' };

  test('a proof is of one request and one token, by the same key', async () => {
    const [first, second] = [key.proofOf(request, token), key.proofOf(request, token)];
    const { thumbprint } = await verifyProof(first, { method: 'POST', url: 'https://up.example/mcp', token: 'the-token' });
    expect((await verifyProof(second, { method: 'POST', url: 'https://up.example/mcp', token: 'the-token' })).thumbprint).toBe(thumbprint);
    expect(await calculateJwkThumbprint(decodeProtectedHeader(new DPoPKey().proofOf(request)).jwk ?? {})).not.toBe(thumbprint);
  });

  test('nonces are of one origin each; what is none is not repeated', () => {
    key.learn('https://up.example/', 'n1');
    key.learn('https://up.example', 'a\r\nX: b');
    const nonceAt = (url: string): unknown => decodeJwt(key.proofOf({ method: 'GET', url }, token))['nonce'];
    expect([nonceAt('https://up.example/other'), nonceAt('https://up.example:8443/')]).toEqual(['n1', undefined]);
  });
});
