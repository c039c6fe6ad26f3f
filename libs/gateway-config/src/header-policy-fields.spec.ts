import { describe, expect, it } from 'vitest';
import { serverHeaderPolicy } from './header-policy-document.ts';

const problems = (policy: unknown): string[] => serverHeaderPolicy.safeParse(policy).error?.issues.map(({ path }) => `/${path.join('/')}`) ?? [];
const mapping = (source: string, target?: string): object => ({ mode: 'mappings', mappings: [{ source, ...(target !== undefined && { target }) }] });
const list = (...names: string[]): object => ({ mode: 'list', list: names });

describe('accepted', () => {
  it.each<[string, object]>([
    ['every mode', { mode: 'none' }],
    ['an empty list: nothing passes', list()],
    ['one source for several targets', { mode: 'mappings', mappings: [{ source: 'X-A', target: 'X-B' }, { source: 'X-A', target: 'X-C' }, { source: 'X-A' }] }],
    ['a mapping with an empty target', mapping('X-A', '')],
    ['Authorization: whether it may leave is said by a warning', list('Authorization')],
    ['X-Upstream-Authorization, where it goes anyway', mapping('X-Upstream-Authorization', 'Authorization')],
    ['every character of a token', list("X!#$%&'*+-.^_`|~9")],
    ['rows of another mode that are empty', { mode: 'all', list: [], mappings: [] }],
    ['the smallest and the largest limit', { mode: 'all', maxValueBytes: 32_768 }],
  ])('%s', (_name, policy) => expect(problems(policy)).toEqual([]));
});

describe('refused, at', () => {
  it.each<[string, string, object]>([
    ['/mode', 'no mode', { restricted: ['x-*'] }],
    ['/mode', 'an unknown mode', { mode: 'some' }],
    ['/', 'an unknown field', { mode: 'all', restrict: [] }],
    ['/list', 'mode list without a list', { mode: 'list' }],
    ['/list', 'a list that the mode does not use', { mode: 'all', list: ['X-A'] }],
    ['/mappings', 'mode mappings without mappings', { mode: 'mappings' }],
    ['/mappings', 'mappings that the mode does not use', { ...list('X-A'), mappings: [{ source: 'X-B' }] }],
    ['/list/1', 'a name twice, in another case', list('X-A', 'x-a')],
    ['/list/0', 'a cookie', list('cookie')],
    ['/list/0', 'a connection header in another spelling', list('Transfer_Encoding')],
    ['/list/0', 'a name that is no token', list('X Tenant')],
    ['/list/0', 'a name that only looks like one (the Kelvin sign)', list('X-\u212Aey')],
    ['/list/0', 'an empty name', list('')],
    ['/mappings/0/source', 'a blocked source', mapping('Cookie', 'X-Session')],
    ['/mappings/0/source', 'a source that the gateway writes', mapping('X-Forwarded-For', 'X-Client')],
    ['/mappings/0/target', 'a blocked target', mapping('X-Session', 'cookie')],
    ['/mappings/0/target', 'a framing header as target', mapping('X-Length', 'Content.Length')],
    ['/mappings/0/target', 'X-Upstream-Authorization as target', mapping('X-Token', 'X_Upstream_Authorization')],
    ['/mappings/0/target', 'X-Upstream-Authorization to another place', mapping('X-Upstream-Authorization', 'X-Token')],
    ['/mappings/1/target', 'two to one target', { mode: 'mappings', mappings: [{ source: 'X-A', target: 'X-User-Id' }, { source: 'X-B', target: 'x_user.id' }] }],
    ['/mappings/1/target', 'a target that is another’s source', { mode: 'mappings', mappings: [{ source: 'X-A' }, { source: 'X-B', target: 'X-A' }] }],
    ['/restricted/0', 'a regular expression for a pattern', { mode: 'all', restricted: ['^x-.*$|(a)'] }],
    ['/maxValueBytes', 'a limit of nothing', { mode: 'all', maxValueBytes: 0 }],
    ['/maxValueBytes', 'a limit beyond 32 KiB', { mode: 'all', maxValueBytes: 32_769 }],
  ])('%s: %s', (pointer, _name, policy) => expect(problems(policy)).toEqual([pointer]));

  it('with every problem at once', () => {
    const policy = { ...list('Cookie', 'X-A', 'x-a', 'Bad Name'), mappings: [{ source: 'Host' }], maxValueBytes: 0 };
    expect(problems(policy)).toEqual(['/list/3', '/maxValueBytes', '/mappings', '/list/0', '/list/2', '/mappings/0/source']);
  });
});
