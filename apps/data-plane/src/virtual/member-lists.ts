import { ConnectError } from '@gatehouse/access-tokens';
import { type ErrorCode, GatewayError, toGatewayError } from '@gatehouse/errors';
import { connectTool, rpcErrorCodes, type RpcId } from '@gatehouse/mcp-protocol';
import { type ListKind, listKinds, type MemberPage, type Pages, readMemberPage, withCursor } from '@gatehouse/virtual-servers';
import type { MemberCalls } from './member-calls.ts';
import type { Member, MissingMember } from './members.ts';
import type { KnownNames } from './known-names.ts';
import { drop, readAnswer } from './read-reply.ts';

/** A page, or why there is none. */
type Fetched = { readonly page: MemberPage } | { readonly missing: MissingMember };

export interface FetchedPages {
  readonly pages: Pages;
  readonly missing: readonly MissingMember[];
}

export interface ListContext {
  readonly calls: MemberCalls;
  readonly members: readonly Member[];
  readonly names: KnownNames;
  /** For whom it is kept what a member has; `undefined` where it is for nobody. */
  readonly scopeOf: (member: Member) => string | undefined;
  /** Members are waited for until then; milliseconds since the epoch. */
  readonly until: number;
  readonly now: () => number;
  /** Of one page. */
  readonly maxBytes: number;
  /** The caller's request for the list, or one that stands for it. */
  readonly text: string;
  readonly id: RpcId;
}

/** A list that goes on and on is no list. */
const maxPages = 200;
const maxCharacters = 4 * 2 ** 20;

/** What members list, of one kind, for one call. */
export class MemberLists {
  readonly #context: ListContext;
  readonly #kind: ListKind;
  /** By member: what it has, all of it. */
  readonly #complete = new Map<number, ReadonlySet<string>>();
  /** By member: its first page. */
  readonly #first = new Map<number, MemberPage>();
  readonly #learning = new Map<number, Promise<void>>();
  /** By member: why nobody knows what it has. */
  readonly #unknown = new Map<number, ErrorCode>();

  constructor(context: ListContext, kind: ListKind) {
    this.#context = context;
    this.#kind = kind;
  }

  /**
   * A page of each, all at once.
   * @param cursors by name of the server; absent: the first of each
   */
  async pages(cursors: ReadonlyMap<string, string> | undefined): Promise<FetchedPages> {
    const { members } = this.#context;
    const fetched = await Promise.all(
      members.map(({ server }, index) => (cursors === undefined || cursors.has(server.name) ? this.#fetch(index, cursors?.get(server.name)) : Promise.resolve(undefined))),
    );
    return {
      pages: fetched.map((one) => (one !== undefined && 'page' in one ? one.page : undefined)),
      missing: fetched.flatMap((one) => (one !== undefined && 'missing' in one ? [one.missing] : [])),
    };
  }

  /** Learns all that a member has, once. Never fails: what is not known then is in `failureOf`. */
  learn(index: number, until = this.#context.until): Promise<void> {
    let learning = this.#learning.get(index);
    if (learning === undefined) this.#learning.set(index, (learning = this.#learn(index, until)));
    return learning;
  }

  async #learn(index: number, until: number): Promise<void> {
    const { names, calls, scopeOf } = this.#context;
    const member = this.#member(index);
    if (this.#complete.has(index) || this.#unknown.has(index)) return;
    const scope = scopeOf(member);
    const known = names.get(member, this.#kind, scope);
    if (known !== undefined) return void this.#complete.set(index, known);
    const failure = names.failureOf(member, this.#kind, scope);
    if (failure !== undefined) return this.#goBy(names.last(member, this.#kind, scope), index, failure);
    try {
      this.#know(index, await calls.patiently((patient) => this.#readAll(patient, index), this.#msUntil(until)));
    } catch (error) {
      this.#fail(index, error);
    }
  }

  /** What was learnt. */
  readonly has = (member: number, own: string): boolean => this.#complete.get(member)?.has(own) === true;

  /** Why it is not known what it has. */
  failureOf(member: number): MissingMember | undefined {
    const code = this.#unknown.get(member);
    return code === undefined ? undefined : { server: this.#member(member).server.name, code };
  }

  /** Everything of it, in its own words: templates, which are matched and not compared. */
  namesOf(member: number): ReadonlySet<string> {
    return this.#complete.get(member) ?? new Set();
  }

  async #readAll(calls: MemberCalls, index: number): Promise<ReadonlySet<string>> {
    const own = new Set<string>();
    const cursors = new Set<string>();
    let characters = 0;
    let page = this.#first.get(index) ?? (await this.#ask(calls, this.#member(index), undefined));
    for (;;) {
      for (const item of page.items) {
        own.add(item.own);
        characters += item.own.length;
      }
      const { nextCursor } = page;
      if (nextCursor === undefined || cursors.has(nextCursor) || cursors.size + 1 >= maxPages || characters > maxCharacters) return own;
      cursors.add(nextCursor);
      page = await this.#ask(calls, this.#member(index), nextCursor);
    }
  }

  async #fetch(index: number, cursor: string | undefined): Promise<Fetched> {
    const { calls } = this.#context;
    const member = this.#member(index);
    try {
      const page = await calls.patiently((patient) => this.#ask(patient, member, cursor), this.#msUntil(this.#context.until));
      if (cursor === undefined) this.#first.set(index, page);
      if (cursor === undefined && page.nextCursor === undefined) this.#know(index, new Set(page.items.map((item) => item.own)));
      return { page };
    } catch (error) {
      this.#fail(index, error);
      return error instanceof ConnectError && this.#kind === 'tools' ? { page: connectPage(error) } : { missing: { server: member.server.name, code: codeOf(error) } };
    }
  }

  #know(index: number, own: ReadonlySet<string>): void {
    const member = this.#member(index);
    this.#complete.set(index, own);
    this.#context.names.set(member, this.#kind, this.#context.scopeOf(member), own);
  }

  /** What it had before is still its own. Of whoever has no account there yet nothing more is known than the way to connect one. */
  #fail(index: number, error: unknown): void {
    const { names, scopeOf } = this.#context;
    const member = this.#member(index);
    const scope = scopeOf(member);
    const last = names.last(member, this.#kind, scope);
    if (error instanceof ConnectError) return void this.#complete.set(index, new Set([...(last ?? []), ...(this.#kind === 'tools' ? [connectTool] : [])]));
    names.failed(member, this.#kind, scope, codeOf(error));
    this.#goBy(last, index, codeOf(error));
  }

  #goBy(last: ReadonlySet<string> | undefined, index: number, code: ErrorCode): void {
    if (last === undefined) this.#unknown.set(index, code);
    else this.#complete.set(index, last);
  }

  #member(index: number): Member {
    return this.#context.members[index] as Member;
  }

  #msUntil(until: number): number {
    return Math.max(0, until - this.#context.now());
  }

  async #ask(calls: MemberCalls, member: Member, cursor: string | undefined): Promise<MemberPage> {
    const { text, id, maxBytes } = this.#context;
    const { reply } = await calls.send(member, { httpMethod: 'POST', method: listKinds[this.#kind].method, id, text: withCursor(text, cursor) });
    // Refusals come with messages too: of those that do not know the method (MCP 2026-07-28, transports).
    if (reply.status >= 500 || reply.status === 401 || reply.status === 403) {
      drop(reply);
      throw new GatewayError('upstream_failed', { detail: `status ${reply.status}` });
    }
    const answer = await readAnswer(reply, id, maxBytes);
    const page = answer === undefined ? undefined : readMemberPage(answer, this.#kind);
    if (page !== undefined) return page;
    if (answer !== undefined && errorCodeOf(answer) === rpcErrorCodes.methodNotFound) return nothing;
    throw new GatewayError(answer === undefined ? 'upstream_not_mcp' : 'upstream_failed', { detail: 'a list was not answered with one' });
  }
}

const nothing: MemberPage = { items: [], nextCursor: undefined, ttlMs: undefined };

/** Of a member that the caller has not connected an account for: the way to do so, by its prefix. */
function connectPage({ app, isCredential }: ConnectError): MemberPage {
  const verb = isCredential ? 'enter' : 'connect';
  const tool = {
    name: connectTool,
    title: `${isCredential ? 'Enter' : 'Connect'} ${app}`,
    description: `The person has to ${verb} ${app} once, and the other tools that need it are listed then. Gives the link to open.`,
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  };
  return { items: [{ own: connectTool, text: JSON.stringify(tool) }], nextCursor: undefined, ttlMs: 0 };
}

const codeOf = (error: unknown): ErrorCode => toGatewayError(error).code;

function errorCodeOf(text: string): unknown {
  const { error } = JSON.parse(text) as { error?: { code?: unknown } };
  return error?.code;
}
