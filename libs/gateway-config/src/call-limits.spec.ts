import { describe, expect, it } from 'vitest';
import { callLimits } from './call-limits.ts';
import { completeServer, writableServer } from './server-document.ts';

const rate = { per: 'caller', calls: 60, seconds: 60 } as const;
/** The paths that problems are at. */
const problemsOf = (limits: unknown): string[] => callLimits.safeParse(limits).error?.issues.map(({ path }) => path.join('/')) ?? [];

describe('limits', () => {
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['rates of every kind', { rates: [rate, { per: 'server', calls: 1_000_000, seconds: 1, shared: true }, { per: 'tool', tools: ['delete_*', 'x'], calls: 5, seconds: 60, burst: 1 }, { per: 'caller-tool', calls: 10, seconds: 86_400, burst: 1_000_000 }] }],
    ['two rates of the same calls over other times', { rates: [rate, { ...rate, calls: 1_000, seconds: 3_600 }] }],
    ['one counted here and one by all', { rates: [rate, { ...rate, shared: true }] }],
    ['calls under way', { concurrentCalls: { server: 100, caller: 10 } }],
  ])('%s', (_, limits) => expect(callLimits.parse(limits)).toEqual(limits));

  it.each<[string, unknown, string[]]>([
    ['of nobody', { rates: [{ ...rate, per: 'moon' }] }, ['rates/0/per']],
    ['without numbers', { rates: [{ per: 'caller' }] }, ['rates/0/calls', 'rates/0/seconds']],
    ['of none', { rates: [{ ...rate, calls: 0, seconds: 0, burst: 0 }] }, ['rates/0/calls', 'rates/0/seconds', 'rates/0/burst']],
    ['of parts', { rates: [{ ...rate, calls: 1.5, seconds: 0.5, burst: 2.5 }] }, ['rates/0/calls', 'rates/0/seconds', 'rates/0/burst']],
    ['beyond measure', { rates: [{ ...rate, calls: 1_000_001, seconds: 86_401, burst: 1e9 }] }, ['rates/0/calls', 'rates/0/seconds', 'rates/0/burst']],
    ['of no tool', { rates: [{ ...rate, per: 'tool', tools: [] }] }, ['rates/0/tools']],
    ['of tools by a sign that stands for nothing', { rates: [{ ...rate, per: 'tool', tools: ['delete_?'] }] }, ['rates/0/tools/0']],
    ['of tools where it is not per tool', { rates: [{ ...rate, tools: ['x'] }] }, ['rates/0/tools']],
    ['empty', { rates: [] }, ['rates']],
    ['too many', { rates: Array.from({ length: 17 }, (_, index) => ({ ...rate, seconds: index + 1 })) }, ['rates']],
    ['the same twice', { rates: [rate, { per: 'tool', tools: ['a', 'b'], calls: 1, seconds: 1 }, { ...rate, calls: 5 }, { per: 'tool', tools: ['b', 'a'], calls: 2, seconds: 1 }] }, ['rates/2', 'rates/3']],
    ['with a field that is none', { rates: [{ ...rate, window: 5 }] }, ['rates/0']],
    ['no call at all', { concurrentCalls: { server: 0, caller: 1.5 } }, ['concurrentCalls/server', 'concurrentCalls/caller']],
  ])('are refused, by field: %s', (_, limits, paths) => expect(problemsOf(limits)).toEqual(paths));

  it.each([
    { type: 'mcp', upstream: { url: 'https://a.example/mcp' }, appAuth: { type: 'none' } },
    { type: 'api', upstream: { url: 'https://a.example' }, tools: { operations: [{ name: 'list', method: 'GET', path: '/pets' }] }, appAuth: { type: 'none' } },
    { type: 'virtual', members: [{ server: 'a' }] },
  ])('a server of type $type may have them', (document) => {
    const server = { name: 's', agentAuth: { type: 'passthrough' }, limits: { rates: [rate] }, ...document };
    expect(writableServer.parse(server).limits).toEqual(server.limits);
    const complete = document.type === 'api' ? { ...server, tools: { operations: [] } } : server;
    expect(completeServer.parse(complete).limits).toEqual(server.limits);
  });
});
