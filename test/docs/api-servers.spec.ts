import { readFile } from 'node:fs/promises';
import { completeServerTypes, type ReadableServer, toolsSource, writableServerFor } from '@gatehouse/gateway-config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { useControlPlane } from '../../apps/control-plane/src/spec-support/use-control-plane.ts';

const text = await readFile(new URL('../../docs/api-servers.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => parse(yaml) as Record<string, unknown> & { name: string });
const fixture = useControlPlane();

interface Written {
  readonly tools: { readonly openapi?: { readonly url?: string } };
}
const isFetched = (example: unknown): boolean => (example as Written).tools.openapi?.url !== undefined;

describe('what the page on API servers shows', () => {
  it.each(examples.map((example) => [example.name, example] as const))('%s is a server', (_name, example) => {
    const written = JSON.parse(JSON.stringify(example).replaceAll(/\{"fromEnv":"\w+"\}/g, '"a-value"')) as object;
    expect(writableServerFor(written).safeParse(written).error?.issues).toBeUndefined();
  });

  it.each(examples.filter((example) => !isFetched(example)).map((example) => [example.name, example] as const))('%s has tools', async (_name, example) => {
    const { body, status, text: answer } = await fixture.plane.send<ReadableServer>('POST', '/v1/workspaces/default/servers', { body: example });
    expect(status, answer).toBe(201);
    expect(body.warnings).toEqual([]);
    const discovered = await fixture.plane.send<{ tools: readonly object[] }>('POST', `/v1/workspaces/default/servers/${body.id}/discover`);
    expect(discovered.body.tools.length).toBeGreaterThan(0);
  });
});

it('the page on API servers names every source of tools, and nothing else is one', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining(Object.keys(toolsSource.shape)));
  expect(completeServerTypes.api.shape.tools.shape).toHaveProperty('operations');
});
