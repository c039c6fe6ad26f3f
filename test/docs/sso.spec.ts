import { readFile } from 'node:fs/promises';
import { writableIdentityProvider, writableWorkspace } from '@gatehouse/gateway-config';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';

type Json = Readonly<Record<string, unknown>>;

let text: string;
let documents: Json[];

beforeAll(async () => {
  text = await readFile(new URL('../../docs/sso.md', import.meta.url), 'utf8');
  documents = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => parse(yaml) as Json);
});

const schemas = { IdentityProvider: writableIdentityProvider, Workspace: writableWorkspace };

it('every document that is shown can be written', () => {
  for (const { kind, clientSecret, ...document } of documents) {
    const schema = schemas[kind as keyof typeof schemas];
    // The command line reads it from the environment.
    const secret = clientSecret === undefined ? {} : { clientSecret: 'secret' };
    expect([document['name'], schema.safeParse({ ...document, ...secret }).error?.issues]).toEqual([document['name'], undefined]);
    if (clientSecret !== undefined) expect(clientSecret).toEqual({ fromEnv: expect.any(String) as string });
  }
});

it('the providers that people have are walked through, each with its redirect URI', () => {
  const names = documents.filter(({ kind }) => kind === 'IdentityProvider').map(({ name }) => String(name));
  expect(names).toEqual(['corp', 'entra', 'okta', 'google', 'keycloak']);
  for (const name of names.slice(1)) expect(text).toContain(`/login/callback/${name}\``);
});

it('only the provider that has no claim for it vouches for addresses without one, and for its own domains only', () => {
  const vouching = documents.filter(({ emailVerified }) => emailVerified === 'always');
  expect(vouching.map(({ name, emailDomains }) => [name, emailDomains])).toEqual([['entra', ['corp.example']]]);
});
