import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MetadataDocumentProvider, startMetadataDocumentProvider } from '../../../../../test/support/metadata-document-provider.ts';
import type { TestBrowser } from '../../../../../test/support/test-browser.ts';
import { useConnecting } from '../../spec-support/use-connecting.ts';
import { publicOrigin } from '../../spec-support/use-login.ts';
import { isPublicName } from './our-client-metadata.ts';

const fixture = useConnecting();
let provider: MetadataDocumentProvider;
let ana: TestBrowser;
let link: () => Promise<string>;

beforeAll(async () => {
  // Where the control plane's public name leads to.
  provider = await startMetadataDocumentProvider((url) => fetch(new URL(url.pathname, fixture.plane.url)));
  const id = await fixture.addServer('by-document', { title: 'By document', upstream: { url: provider.upstreamUrl }, appAuth: { type: 'oauth-authorization-code', discover: true } });
  ana = await fixture.browserOf('ana');
  const personId = await fixture.personId('ana');
  link = () => fixture.link({ ownerKind: 'server', ownerId: id, serverId: id, personId });
});
afterAll(() => provider?.close());

test('where our metadata is read, nobody registers: its URL is the client id', async () => {
  const done = await ana.submit(await ana.open(await link()));
  expect([done.status, done.text]).toEqual([200, expect.stringContaining('return to your chat')]);
  const [row] = await fixture.query<{ id: string; kind: string; client_id: string; sealed: Buffer | null }>('select id, kind, client_id, sealed from client_registrations');
  expect(row).toMatchObject({ kind: 'metadata-document', client_id: `${publicOrigin}/connect/clients/${row?.id}`, sealed: null });
  expect(provider.documents).toContain(row?.client_id);
  const document = await fixture.plane.send<Record<string, unknown>>('GET', `/connect/clients/${row?.id}`, { authorization: undefined });
  expect(document.body).toMatchObject({
    client_id: row?.client_id, redirect_uris: [`${publicOrigin}/connect/callback/${row?.id}`], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'],
  });
  // Offline access was asked for, and given.
  expect(await fixture.query(`select refreshable from connections where session_id is null`)).toEqual([{ refreshable: true }]);
});

test('no answer without its issuer, where the server says that it is always there (RFC 9207)', async () => {
  const page = await ana.visit(await link());
  const onward = await ana.send('POST', new URL('/connect', publicOrigin), new URLSearchParams(page.forms[0]?.fields ?? {}));
  const target = /url=([^"]*)"/.exec(onward.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  let at = await ana.visit(target);
  for (let hops = 0; hops < 10 && !(at.headers.get('location') ?? '').startsWith(publicOrigin); hops += 1) at = await ana.visit(new URL(at.headers.get('location') ?? '', at.url));
  const url = new URL(at.headers.get('location') ?? '');
  expect(url.searchParams.get('iss')).toBe(provider.issuer);
  url.searchParams.delete('iss');
  const refused = await ana.open(url);
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('other_issuer')]);
});

test('of registrations that there are not, there is no metadata', async () => {
  for (const id of ['00000000-0000-7000-8000-000000000009', 'x', '..%2f']) expect((await fixture.plane.send('GET', `/connect/clients/${id}`, { authorization: undefined })).status).toBe(404);
});

test.each([
  ['https://gateway.example.com', true], ['https://gateway.example.com:8443', true], ['http://gateway.example.com', false], ['https://localhost:3000', false],
  ['https://10.0.0.7', false], ['https://[::1]', false], ['https://gateway.internal', false], ['https://gateway', false],
])('%s can be read by a provider elsewhere: %s', (url, expected) => {
  expect(isPublicName(url)).toBe(expected);
});
