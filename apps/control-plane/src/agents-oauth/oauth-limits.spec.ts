import { expect, test } from 'vitest';
import { startTestControlPlane } from '../spec-support/start-test-control-plane.ts';
import { useAgents } from '../spec-support/use-agents.ts';

const fixture = useAgents({ GATEHOUSE_TRUSTED_PROXIES: 'loopback' });

async function ask(method: string, path: string, address: string, at = fixture.plane.url): Promise<{ status: number; headers: Headers; text: string }> {
  const body = method === 'POST' ? { body: new URLSearchParams({ grant_type: 'none' }) } : {};
  const reply = await fetch(new URL(path, at), { method, redirect: 'manual', headers: { 'X-Forwarded-For': address }, ...body });
  return { status: reply.status, headers: reply.headers, text: await reply.text() };
}

/** So many at a time, or the spec would take long. */
async function askOften(count: number, paths: readonly string[], method: string, address: string): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let done = 0; done < count; done += 20) {
    const replies = await Promise.all(Array.from({ length: Math.min(20, count - done) }, (_, index) => ask(method, paths[index % paths.length] ?? '', address)));
    for (const { status } of replies) statuses.add(status);
  }
  return statuses;
}

test.each<[string, number, readonly string[]]>([
  ['tokens, their revocation and introspection together', 1_200, ['/oauth/token', '/token', '/oauth/revoke', '/oauth/introspect']],
  ['registrations', 300, ['/oauth/register', '/register']],
  ['pushed requests', 300, ['/oauth/par']],
])('%s are limited per address, in the form of the RFC; each control plane counts for itself', async (name, count, paths) => {
  const [address, other] = [`198.51.100.${name.length}`, `203.0.113.${name.length}`];
  expect(await askOften(count, paths, 'POST', address)).not.toContain(429);
  for (const path of paths) {
    const { status, headers, text } = await ask('POST', path, address);
    expect([path, status, headers.get('retry-after'), headers.get('cache-control')]).toEqual([path, 429, expect.stringMatching(/^(60|600)$/), 'no-store']);
    expect(JSON.parse(text)).toMatchObject({ error: 'temporarily_unavailable', error_description: expect.stringMatching(/from one address/) as string });
  }
  expect((await ask('POST', paths[0] ?? '', other)).status).not.toBe(429);
  const second = await startTestControlPlane({ environment: fixture.plane.environment });
  expect((await ask('POST', paths[0] ?? '', address, second.url)).status).not.toBe(429);
  await second.close();
});

test('authorization requests are limited per address, and people see a page', async () => {
  expect(await askOften(300, ['/oauth/authorize', '/authorize'], 'GET', '198.51.100.200')).not.toContain(429);
  const { status, headers, text } = await ask('GET', '/oauth/authorize', '198.51.100.200');
  expect([status, headers.get('retry-after'), headers.get('content-type')]).toEqual([429, '60', expect.stringMatching(/^text\/html/)]);
  expect(text).toContain('Not right now');
});

test('where keys and metadata are is not limited: every client and data plane asks', async () => {
  expect(await askOften(400, ['/.well-known/oauth-authorization-server', '/oauth/jwks'], 'GET', '198.51.100.201')).toEqual(new Set([200]));
});
