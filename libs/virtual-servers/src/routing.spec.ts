import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListKind } from './list-kinds.ts';
import { MemberNames, type MemberSelection } from './member-names.ts';
import { mergePages, overlappingMembers, type Pages } from './merge-pages.ts';
import { candidatesOf, ownerAmong } from './route-name.ts';

/* What holds for every virtual server. Few letters, so that names meet each other all the time. */

const runs = { numRuns: 2_000 };
const name = fc.string({ unit: fc.constantFrom('a', 'b', '_'), minLength: 1, maxLength: 3 });
const names = fc.uniqueArray(name, { maxLength: 6 });
const patterns = fc.option(fc.array(fc.constantFrom('*', 'a*', '*b', 'a', '_'), { maxLength: 2 }), { nil: undefined });

const selection: fc.Arbitrary<MemberSelection> = fc.record({
  tools: patterns,
  prompts: patterns,
  prefix: fc.option(fc.constantFrom('', 'a', 'a_', 'b'), { nil: undefined }),
  rename: fc.option(fc.uniqueArray(fc.tuple(name, name), { maxLength: 3, selector: ([, listed]) => listed }).map((pairs) => Object.fromEntries(pairs)), { nil: undefined }),
}).filter(({ rename = {} }) => new Set(Object.values(rename)).size === Object.keys(rename).length);

interface Member {
  readonly selection: MemberSelection;
  readonly own: readonly string[];
}

const members = fc.array(fc.record({ selection, own: names }), { minLength: 1, maxLength: 4 });
const kinds = fc.constantFrom<ListKind>('tools', 'prompts');
/** How many of a member's names are on its first page. */
const pageSize = fc.integer({ min: 1, max: 6 });

const pagesOf = (all: readonly Member[], from: number, size: number): Pages =>
  all.map(({ own }) => (from < own.length || from === 0 ? { items: own.slice(from, from + size).map((item) => ({ own: item, text: JSON.stringify({ name: item, of: item }) })), nextCursor: undefined, ttlMs: undefined } : undefined));

/** Every page of the merged list, as a client reads one after the other. Only what has to be known is known. */
function listAll(all: readonly Member[], namings: readonly MemberNames[], kind: ListKind, size: number): { listed: string; own: string }[] {
  const items: { listed: string; own: string }[] = [];
  for (let from = 0; from < 6; from += size) {
    const pages = pagesOf(all, from, size);
    const known = overlappingMembers(namings, kind, pages);
    const has = (member: number, own: string): boolean => known.has(member) && (all[member] as Member).own.includes(own);
    for (const text of mergePages(namings, kind, pages, has, () => true).items) {
      const { name: listed, of: own } = JSON.parse(text) as { name: string; of: string };
      items.push({ listed, own });
    }
  }
  return items;
}

describe('P32 names of a virtual server', () => {
  it('a name that is listed is called at the member that listed it, by the name it has there', async () => {
    await fc.assert(
      fc.asyncProperty(members, kinds, pageSize, async (all, kind, size) => {
        const namings = all.map((member) => new MemberNames(member.selection));
        const has = (member: number, own: string): boolean => (all[member] as Member).own.includes(own);
        for (const { listed, own } of listAll(all, namings, kind, size)) {
          const found = await ownerAmong(candidatesOf(namings, kind, listed), (...name) => Promise.resolve(has(...name)));
          const owner = found !== undefined && 'owner' in found ? found.owner : undefined;
          expect(owner?.own).toBe(own);
          expect(has(owner?.member ?? -1, own)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('nothing else is called: what a name leads to is chosen, and has that name', () => {
    fc.assert(
      fc.property(members, kinds, name, (all, kind, listed) => {
        const namings = all.map((member) => new MemberNames(member.selection));
        for (const { member, own } of candidatesOf(namings, kind, listed)) expect(namings[member]?.listedAs(kind, own)).toBe(listed);
      }),
      runs,
    );
  });

  it('no name is listed twice, and every name that could be called is listed, on one of the pages', () => {
    fc.assert(
      fc.property(members, kinds, pageSize, (all, kind, size) => {
        const namings = all.map((member) => new MemberNames(member.selection));
        const listed = listAll(all, namings, kind, size).map((item) => item.listed);
        expect(new Set(listed).size).toBe(listed.length);
        const callable = namings.flatMap((naming, index) => (all[index] as Member).own.flatMap((own) => naming.listedAs(kind, own) ?? []));
        expect(new Set(listed)).toEqual(new Set(callable));
      }),
      runs,
    );
  });
});

describe('the names of a member', () => {
  it.each<[string, MemberSelection, string, string | undefined]>([
    ['as they are', {}, 'echo', 'echo'],
    ['with a prefix', { prefix: 'gh_' }, 'echo', 'gh_echo'],
    ['with a name of its own, which has no prefix', { prefix: 'gh_', rename: { echo: 'say' } }, 'echo', 'say'],
    ['not chosen', { tools: ['list_*'] }, 'echo', undefined],
    ['none chosen', { tools: [] }, 'echo', undefined],
    ['whose name another has been given', { rename: { say: 'echo' } }, 'echo', undefined],
  ])('%s', (_case, selected, own, listed) => {
    const naming = new MemberNames(selected);
    expect(naming.listedAs('tools', own)).toBe(listed);
    if (listed !== undefined) expect(naming.ownOf('tools', listed)).toBe(own);
  });

  it('one that is always there is there whatever is chosen', () => {
    expect(new MemberNames({ tools: [], prefix: 'gh_' }, 'connect_account').ownOf('tools', 'gh_connect_account')).toBe('connect_account');
  });

  it('new names are of tools: a prompt of that name keeps its own', () => {
    expect(new MemberNames({ rename: { echo: 'say' }, prefix: 'p_' }).listedAs('prompts', 'echo')).toBe('p_echo');
  });

  it('resources keep their URIs', () => {
    const naming = new MemberNames({ prefix: 'gh_', resources: ['file:///docs/*'] });
    expect([naming.listedAs('resources', 'file:///docs/a'), naming.listedAs('resources', 'file:///etc/passwd')]).toEqual(['file:///docs/a', undefined]);
  });
});
