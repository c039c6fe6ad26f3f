import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RecordingUpstream, startRecordingUpstream } from '../../../../test/support/recording-upstream.ts';
import { gatehouse, gatehouseUp, type RunningUp } from '../spec-gatehouse.ts';

const documentOf = (...names: string[]) => ({
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1' },
  servers: [{ url: '/v1' }],
  components: { securitySchemes: { key: { type: 'apiKey', name: 'X-Key', in: 'header' } } },
  paths: Object.fromEntries(names.map((name) => [`/${name}`, { get: { operationId: name, summary: `Get ${name}`, responses: {} } }])),
});

let folder: string;
let up: RunningUp;
let host: RecordingUpstream;
let document = documentOf();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-import-'));
  [up, host] = await Promise.all([
    gatehouseUp(join(folder, '.gatehouse')),
    startRecordingUpstream({ handler: (_request, response) => void response.end(JSON.stringify(document)) }),
  ]);
});
afterAll(async () => {
  await up.stop();
  await host.close();
  await rm(folder, { recursive: true });
});
const run = (args: readonly string[], input?: string) => gatehouse(args, { cwd: folder, env: { PETS_KEY: 'key-of-the-pets' }, ...(input !== undefined && { input }) });
const importAgain = (...flags: readonly string[]) => run(['import', 'openapi', host.url, ...flags]);

it('P32 registers a server for the document at a URL, with the key that it asks for', async () => {
  document = documentOf('list', 'show');
  const seen = await importAgain('--dry-run');
  expect(seen).toMatchObject({ exitCode: 0, stderr: '', stdout: '2 tools of Pets 1\n  list  GET /list  Get list\n  show  GET /show  Get show\n' });
  const created = await importAgain('--credential-env', 'PETS_KEY', '--agent-auth', 'api-key');
  expect(created, created.stderr).toMatchObject({ exitCode: 0, stderr: '' });
  expect(created.stdout).toMatch(/Server default\/pets created: http:\S+\/mcp\/default\/pets\n/);
  expect((await run(['export'])).stdout).toContain('upstream:\n  url: ' + host.origin + '/v1\n');
});

it('shows what is different the second time, and takes it over', async () => {
  expect((await importAgain()).stdout).toBe('Server default/pets unchanged\n  2 tools unchanged\n');
  document = documentOf('list', 'make');
  const difference = '  + make\n  - show\n  1 tool unchanged\n';
  expect((await importAgain('--dry-run')).stdout).toBe(`Server default/pets would be changed\n${difference}`);
  expect((await importAgain('--name', 'pets')).stdout).toBe(`Server default/pets changed\n${difference}`);
  expect(JSON.parse((await importAgain('--json')).stdout)).toMatchObject({ added: [], removed: [], unchanged: 2, applied: true });
});

it('touches no server whose tools are from elsewhere', async () => {
  const other = await importAgain('--include', 'list');
  expect(other.exitCode).toBe(1);
  expect(other.stderr).toContain('choose another --name');
});

it('takes a document from a file, and from standard input, without the key that is not given', async () => {
  await writeFile(join(folder, 'pets.json'), JSON.stringify(documentOf('a')));
  expect((await run(['import', 'openapi', 'pets.json', '--name', 'from-file'])).stderr).toContain('--upstream');
  const created = await run(['import', 'openapi', 'pets.json', '--name', 'from-file', '--upstream', 'https://pets.example']);
  expect(created.stdout).toContain('The API asks for a key in the header X-Key');
  const again = await run(['import', 'openapi', '-', '--name', 'from-file', '--upstream', 'https://pets.example'], JSON.stringify(documentOf('a', 'b')));
  expect(again.stdout).toBe('Server default/from-file changed\n  + b\n  1 tool unchanged\n');
});

it('makes tools of a GraphQL schema', async () => {
  await writeFile(join(folder, 'schema.graphql'), 'type Query { hero: String }');
  const created = await run(['import', 'graphql', 'https://heroes.example/graphql', '--schema', 'schema.graphql', '--name', 'heroes', '--credential-env', 'PETS_KEY']);
  expect(created, created.stderr).toMatchObject({ exitCode: 0 });
  expect(created.stdout).toContain('  hero  GraphQL  query hero\n');
});

it('P33 exports API servers with their source, which is applied again without a difference', async () => {
  const exported = (await run(['export'])).stdout;
  expect(exported).toContain('operationId');
  expect(exported).toContain('type Query { hero: String }');
  expect(exported).not.toContain('key-of-the-pets');
  expect(await run(['diff', '-f', '-'], exported)).toMatchObject({ exitCode: 0, stdout: '' });
  expect((await run(['apply', '-f', '-'], exported)).stdout).not.toMatch(/ (?:created|changed)\n/);
});

it('P33 shows a document of a file that is another one as a difference', async () => {
  const server = (name: string) => `
kind: Server
name: applied
type: api
upstream: { url: https://pets.example }
agentAuth: { type: api-key }
tools: { openapi: { document: { fromFile: ${name} } } }
`;
  await writeFile(join(folder, 'one.json'), JSON.stringify(documentOf('a')));
  await writeFile(join(folder, 'two.json'), JSON.stringify(documentOf('a', 'b')));
  expect((await run(['apply', '-f', '-'], server('one.json'))).stdout).toContain('Server default/applied created');
  expect(await run(['diff', '-f', '-'], server('one.json'))).toMatchObject({ exitCode: 0 });
  expect((await run(['diff', '-f', '-'], server('two.json'))).stdout).toContain('/tools/openapi/document/sha256');
  expect((await run(['apply', '-f', '-'], server('two.json'))).stdout).toContain('Server default/applied changed');
});

it.each([
  ['a variable that is not set', ['import', 'openapi', 'https://pets.example', '--credential-env', 'NOTHING'], 2],
  ['a file that is not there', ['import', 'openapi', 'nothing.json'], 2],
  ['a document that is none', ['import', 'openapi', '-'], 1],
  ['an authentication that there is none of', ['import', 'openapi', '-', '--agent-auth', 'none'], 2],
])('%s ends it', async (_name, args, exitCode) => {
  expect((await run(args, 'nonsense')).exitCode).toBe(exitCode);
});
