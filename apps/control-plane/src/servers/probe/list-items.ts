import { ProtocolError } from '@modelcontextprotocol/client';
import { type ListMethod, type McpConnection, type McpProbe, requestMcp } from './connect-mcp.ts';
import { maskDeep } from './mask-secrets.ts';
import { StepFailure } from './step-failure.ts';

export interface ListLimits {
  /** Pages too are no more than this. */
  readonly maxItems: number;
  /** Of everything that is listed on one connection, cursors included. */
  readonly maxBytes: number;
}

type Item = Record<string, unknown>;

export interface ListedItems {
  readonly items: Item[];
  readonly truncated: boolean;
}

const fieldOf = { 'tools/list': 'tools', 'resources/list': 'resources', 'resources/templates/list': 'resourceTemplates', 'prompts/list': 'prompts' } as const;
const methodNotFound = -32601;

/** Lists page by page within bounds that the lists of one connection share. What it gives is masked. */
export class ItemLister {
  readonly #probe: McpProbe;
  readonly #connection: McpConnection;
  readonly #limits: ListLimits;
  #bytes = 0;

  constructor(probe: McpProbe, connection: McpConnection, limits: ListLimits) {
    this.#probe = probe;
    this.#connection = connection;
    this.#limits = limits;
  }

  /**
   * What does not fit the bounds, or fails after the first page, is left out and `truncated` says so. An upstream that does not
   * know the method has nothing to list.
   * @throws StepFailure where not even the first page comes: an empty list would be a lie.
   */
  async list(method: ListMethod): Promise<ListedItems> {
    const items: Item[] = [];
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.#page(method, cursor).catch((error: unknown) => {
        if (isMethodNotFound(error)) return { items: [], next: undefined };
        if (cursor === undefined) throw error;
        return undefined;
      });
      if (!page) return { items, truncated: true };
      for (const listed of page.items) {
        const item = maskDeep(listed, this.#probe.mask) as Item;
        this.#bytes += JSON.stringify(item).length;
        if (items.length >= this.#limits.maxItems || this.#bytes > this.#limits.maxBytes) return { items, truncated: true };
        items.push(item);
      }
      cursor = page.next;
      if (cursor === undefined) continue;
      this.#bytes += cursor.length;
      if (seen.has(cursor) || seen.size >= this.#limits.maxItems || this.#bytes > this.#limits.maxBytes) return { items, truncated: true };
      seen.add(cursor);
    } while (cursor !== undefined);
    return { items, truncated: false };
  }

  async #page(method: ListMethod, cursor: string | undefined): Promise<{ items: Item[]; next: string | undefined }> {
    const result = await requestMcp(this.#probe, this.#connection, method, cursor === undefined ? {} : { cursor });
    const items = (result as Record<string, unknown>)[fieldOf[method]];
    return { items: Array.isArray(items) ? (items as Item[]) : [], next: result.nextCursor };
  }
}

const isMethodNotFound = (error: unknown): boolean =>
  error instanceof StepFailure && error.cause instanceof ProtocolError && Number(error.cause.code) === methodNotFound;
