import { expect, it } from 'vitest';
import { checkDocuments } from './check-documents.ts';
import { exportedYaml } from './exported-yaml.ts';
import { parseDocuments } from './read-documents.ts';

const read = {
  kind: 'Server',
  workspace: 'default',
  id: '0190d2f0-0000-7000-8000-000000000000',
  url: 'https://gateway.example/mcp/default/orders',
  name: 'orders',
  type: 'mcp',
  upstream: { url: 'https://orders.example/mcp' },
  agentAuth: { type: 'passthrough' },
  appAuth: { type: 'custom-headers', headers: [{ name: 'X-Key', value: { set: true, updatedAt: '2026-01-01T00:00:00Z' } }] },
  enabled: true,
  revision: 7,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  warnings: [],
};

it('writes kind and workspace in front, nothing that only reading adds, and secrets as unchanged', () => {
  expect(exportedYaml(read)).toMatch(/^kind: Server\nworkspace: default\nname: orders\n/);
  expect(exportedYaml(read)).toMatch(/value: \{set: true\} # a secret/);
  expect(exportedYaml(read)).not.toMatch(/revision|updatedAt|warnings|https:\/\/gateway/);
});

it('writes what can be applied again', async () => {
  const [document] = await checkDocuments(parseDocuments(exportedYaml(read), 'export.yaml'), {});
  expect(document?.body).toMatchObject({ name: 'orders', appAuth: { headers: [{ name: 'X-Key', value: { set: true } }] } });
});
