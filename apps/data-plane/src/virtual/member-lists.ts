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
  readonly callerId: string;
  /** How long a member is waited for. */
  readonly patienceMs: number;
  readonly maxBytes: number;
  /** The caller's request for the list, or one that stands for it. */
  readonly text: string;
  readonly id: RpcId;
}

/** A list that goes on and on is no list. */
const maxPages = 200;

/** What members list, of one kind, for one call. */
export class MemberLists {
  readonly #context: ListContext;
  readonly #kind: ListKind;
  /** By member: what it has, all of it. */
  readonly #complete = new Map<number, ReadonlySet<string>>();
  /** By member: its first page. */
  readonly #first = new Map<number, MemberPage>();

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
    if (cursors === undefined) for (const [index, one] of fetched.entries()) if (one !== undefined && 'page' in one) this.#first.set(index, one.page);
    return {
      pages: fetched.map((one) => (one !== undefined && 'page' in one ? one.page : undefined)),
      missing: fetched.flatMap((one) => (one !== undefined && 'missing' in one ? [one.missing] : [])),
    };
  }

  /** Learns all that these members have; one that does not say has nothing. */
  async learn(members: Iterable<number>): Promise<void> {
    await Promise.all([...members].map((index) => this.#learn(index)));
  }

  /** What was learnt. */
  readonly has = (member: number, own: string): boolean => this.#complete.get(member)?.has(own) === true;

  /** Everything of it, in its own words: templates, which are matched and not compared. */
  namesOf(member: number): ReadonlySet<string> {
    return this.#complete.get(member) ?? new Set();
  }

  async #learn(index: number): Promise<void> {
    const { members, names, callerId } = this.#context;
    const member = members[index] as Member;
    if (this.#complete.has(index)) return;
    const known = names.get(member, this.#kind, callerId);
    if (known !== undefined) return void this.#complete.set(index, known);
    const own = new Set<string>();
    let page: MemberPage | undefined = this.#first.get(index) ?? (await this.#pageOf(index, undefined));
    for (let count = 1; page !== undefined; count += 1) {
      for (const item of page.items) own.add(item.own);
      if (page.nextCursor === undefined || count >= maxPages) break;
      page = await this.#pageOf(index, page.nextCursor);
    }
    this.#complete.set(index, own);
    // Of one that broke off in the middle it is not known what else it has.
    if (page !== undefined) names.set(member, this.#kind, callerId, own);
  }

  async #pageOf(index: number, cursor: string | undefined): Promise<MemberPage | undefined> {
    const fetched = await this.#fetch(index, cursor);
    return 'page' in fetched ? fetched.page : undefined;
  }

  async #fetch(index: number, cursor: string | undefined): Promise<Fetched> {
    const { calls, members, patienceMs, names, callerId } = this.#context;
    const member = members[index] as Member;
    try {
      const page = await calls.patiently((patient) => this.#ask(patient, member, cursor), patienceMs);
      if (cursor === undefined && page.nextCursor === undefined) {
        const own = new Set(page.items.map((item) => item.own));
        this.#complete.set(index, own);
        names.set(member, this.#kind, callerId, own);
      }
      return { page };
    } catch (error) {
      return error instanceof ConnectError && this.#kind === 'tools' ? { page: connectPage(error) } : { missing: { server: member.server.name, code: codeOf(error) } };
    }
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
