import { afterEach, describe, expect, it } from 'vitest';
import { importLimits, ImportProcesses } from './import-processes.ts';

const begun: ImportProcesses[] = [];
afterEach(() => Promise.all(begun.splice(0).map((processes) => processes.onApplicationShutdown())));

function processesWith(limits: Partial<typeof importLimits> = {}): ImportProcesses {
  const processes = new ImportProcesses({ ...importLimits, deadlineMs: 120_000, ...limits });
  begun.push(processes);
  return processes;
}

const graphql = { graphql: {} };
const openapi = { openapi: { url: 'https://pets.example/openapi.json' } };
const small = 'type Query { hero: String }';
/** Some hundred megabytes, once it is read. */
const large = `{"openapi":"3.1.0","paths":{},"x-all":[${'{},'.repeat(4_000_000)}{}]}`;
const tooLarge = (pointer: string) => ({ code: 'validation_failed', problems: [{ pointer, code: 'import_too_large' }] });

it('reads in a process of its own what is read in this one', async () => {
  const { operations, sourceDigest } = await processesWith().read(graphql, small);
  expect([operations.map(({ name }) => name), sourceDigest]).toEqual([['hero'], expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

it('says what is wrong with a document, and where', async () => {
  await expect(processesWith().read({ graphql: { schema: small } }, 'nonsense')).rejects.toMatchObject({ code: 'validation_failed', problems: [{ pointer: '/tools/graphql/schema' }] });
});

describe('a document is refused, and the next one is read', () => {
  it('that takes too much memory', async () => {
    const processes = processesWith({ processes: 1, heapMb: 64 });
    await expect(processes.read(openapi, large)).rejects.toMatchObject(tooLarge('/tools/openapi'));
    expect((await processes.read(graphql, small)).operations).toHaveLength(1);
  });

  it('that takes too long', async () => {
    const processes = processesWith({ deadlineMs: 1 });
    await expect(processes.read(graphql, small)).rejects.toMatchObject(tooLarge('/tools/graphql'));
  });
});

it('two are read at once, some wait, and no more', async () => {
  const processes = processesWith({ waiting: 2 });
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => processes.read(graphql, small)));
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.operations.length : (outcome.reason as { code: string }).code)))
    .toEqual([1, 1, 1, 1, 'too_many_attempts', 'too_many_attempts']);
});
