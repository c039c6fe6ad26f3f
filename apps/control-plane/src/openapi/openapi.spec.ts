import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentAuthTypes } from '@gatehouse/agent-auth';
import { appAuthTypes } from '@gatehouse/app-auth';
import openapiTypescript, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment } from '../spec-support/start-test-control-plane.ts';

type Json = Record<string, unknown>;
interface Document {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string; parameters?: Json[]; responses: Record<string, { content?: Json }> }>>;
  components: { schemas: Record<string, Json> };
}

let postgres: TestPostgres;
let plane: TestControlPlane;
let document: Document;

beforeAll(async () => {
  postgres = await startTestPostgres();
  plane = await startTestControlPlane({ environment: testEnvironment(await postgres.createDatabase()) });
  const reply = await plane.send<Document>('GET', '/openapi.json', { authorization: undefined });
  expect(reply.status).toBe(200);
  document = reply.body;
});
afterAll(async () => {
  await plane?.close();
  await postgres?.close();
});

describe('the document', () => {
  test('is OpenAPI 3.1, and every operation has a readable id of its own and documents its problems', () => {
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const operation of operations) {
      expect(operation.operationId).toMatch(/^[a-z]+[A-Z][A-Za-z]+$/);
      expect(operation.responses['401']?.content).toHaveProperty(['application/problem+json']);
    }
  });

  test('wants If-Match for every change of what is read with an ETag', () => {
    for (const path of ['/v1/workspaces/{workspace}/servers/{server}', '/v1/header-policy']) {
      for (const method of ['put', 'patch', 'delete']) {
        const operation = document.paths[path]?.[method];
        expect(operation?.parameters, `${method} ${path}`).toContainEqual(expect.objectContaining({ name: 'If-Match', required: true }));
        expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(['412', '428']));
      }
    }
  });

  test('has tagged unions with a discriminator', () => {
    for (const name of ['AppAuthInput', 'AppAuth', 'AgentAuth']) {
      const schema = document.components.schemas[name];
      expect(schema, name).toMatchObject({ discriminator: { propertyName: 'type' } });
    }
  });

  test('is where the control plane’s own URL leads', async () => {
    const response = await fetch(plane.url, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/docs']);
  });

  test('is readable at /docs, with nothing from elsewhere', async () => {
    const page = await plane.send('GET', '/docs', { authorization: undefined });
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    const script = await plane.send('GET', '/docs/swagger-ui-bundle.js', { authorization: undefined });
    expect(script.status).toBe(200);
  });
});

const consumer = (types: { app: readonly string[]; agent: readonly string[] }) => `
import type { components, operations } from './generated.ts';
type Input = operations['createServer']['requestBody']['content']['application/json'];
type Output = components['schemas']['McpServer'];

export const input: Input = {
  name: 'orders', type: 'mcp', upstream: { url: 'https://orders.example' },
  agentAuth: { type: 'passthrough' }, appAuth: { type: 'bearer', token: 'text' },
};
export function app(auth: Output['appAuth']): string {
  switch (auth.type) {
${types.app.map((type) => `    case '${type}': return auth.type;`).join('\n')}
    default: return ((never: never): string => never)(auth);
  }
}
export function agent(auth: Output['agentAuth']): string {
  switch (auth.type) {
${types.agent.map((type) => `    case '${type}': return auth.type;`).join('\n')}
    default: return ((never: never): string => never)(auth);
  }
}
export const isSet = (auth: Output['appAuth']): boolean => auth.type === 'bearer' && auth.token.set;
// @ts-expect-error there is no such type
export const unknown: Input['agentAuth'] = { type: 'nonsense' };
`;

test('schemas have plain names', () => {
  expect(Object.keys(document.components.schemas).filter((name) => name.includes('_'))).toEqual([]);
  expect(Object.keys(document.components.schemas).filter((name) => name.endsWith('Output'))).toEqual([]);
});

test('authentication types survive the way into generated TypeScript types as exhaustive unions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-openapi-'));
  try {
    await symlink(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
    await writeFile(join(folder, 'generated.ts'), astToString(await openapiTypescript(JSON.stringify(document))));
    const types = { app: appAuthTypes.map(({ type }) => type), agent: agentAuthTypes.map(({ type }) => type) };
    await writeFile(join(folder, 'consumer.ts'), consumer(types));
    expect(problemsOf(join(folder, 'consumer.ts'))).toEqual([]);
    await writeFile(join(folder, 'incomplete.ts'), consumer({ ...types, app: types.app.slice(1) }));
    expect(problemsOf(join(folder, 'incomplete.ts'))).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function problemsOf(file: string): string[] {
  const program = ts.createProgram([file], {
    strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true, allowImportingTsExtensions: true, types: [],
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2024,
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
