import { ToolRules } from '@gatehouse/mcp-protocol';
import type { ListKind } from './list-kinds.ts';

/** What of a member is in a virtual server, and by which names. */
export interface MemberSelection {
  /** Patterns of the member's own names, in which * stands for any characters; absent: all. */
  readonly tools?: readonly string[] | undefined;
  readonly prompts?: readonly string[] | undefined;
  /** Of URIs. */
  readonly resources?: readonly string[] | undefined;
  /** In front of the names of tools and prompts that have no other. */
  readonly prefix?: string | undefined;
  /** New names of tools, by their own. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
}

const everything = (): boolean => true;

/**
 * The names of one member: of each of its own at most one in the virtual server, and of each there at most one of its own. Resources
 * keep their URIs: what they are is said in them, and in texts that nobody rewrites.
 */
export class MemberNames {
  readonly #prefix: string;
  /** By own name. */
  readonly #renamed: ReadonlyMap<string, string>;
  /** By new name. */
  readonly #ownOfRenamed: ReadonlyMap<string, string>;
  readonly #isChosen: Readonly<Record<ListKind, (own: string) => boolean>>;

  /** @param always a tool that is there whatever is chosen */
  constructor({ tools, prompts, resources, prefix = '', rename = {} }: MemberSelection, always?: string) {
    this.#prefix = prefix;
    this.#renamed = new Map(Object.entries(rename));
    this.#ownOfRenamed = new Map(Object.entries(rename).map(([own, listed]) => [listed, own]));
    const isChosenTool = chosen(tools);
    const isChosenResource = chosen(resources);
    this.#isChosen = {
      tools: (own) => own === always || isChosenTool(own),
      prompts: chosen(prompts),
      resources: isChosenResource,
      resourceTemplates: isChosenResource,
    };
  }

  /** @returns `undefined` for what is not in the virtual server */
  listedAs(kind: ListKind, own: string): string | undefined {
    if (!this.#isChosen[kind](own)) return undefined;
    if (kind === 'resources' || kind === 'resourceTemplates') return own;
    const renamed = kind === 'tools' ? this.#renamed.get(own) : undefined;
    if (renamed !== undefined) return renamed;
    const listed = this.#prefix + own;
    // Another of its tools has that name already.
    return kind === 'tools' && this.#ownOfRenamed.has(listed) ? undefined : listed;
  }

  /** @returns the one that `listedAs` gives this name to, whether or not the member has it */
  ownOf(kind: ListKind, listed: string): string | undefined {
    const own = this.#candidate(kind, listed);
    return own !== undefined && this.listedAs(kind, own) === listed ? own : undefined;
  }

  #candidate(kind: ListKind, listed: string): string | undefined {
    if (kind === 'resources' || kind === 'resourceTemplates') return listed;
    const renamed = kind === 'tools' ? this.#ownOfRenamed.get(listed) : undefined;
    if (renamed !== undefined) return renamed;
    return listed.startsWith(this.#prefix) ? listed.slice(this.#prefix.length) : undefined;
  }
}

function chosen(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (patterns === undefined) return everything;
  // Rules that allow nothing are not the same as none.
  return patterns.length === 0 ? () => false : new ToolRules({ allow: patterns }).mayCall;
}
