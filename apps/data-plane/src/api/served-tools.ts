import { hash } from 'node:crypto';
import { type ApiOperation, listedTool, validateArguments, type ValidateArguments } from '@gatehouse/api-tools';
import type { Problem } from '@gatehouse/errors';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** A piece of the list, as it is sent. */
export interface ToolPage {
  /** A JSON array. */
  readonly tools: string;
  readonly nextCursor: string | undefined;
}

/** Many clients ask for the first page only: a page is as large as it may be. */
const maxPageTools = 1_000;
const maxPageLength = 4 * 1024 * 1024;

/** The tools of an API as its callers see them: those that may be called. All of it is made when a call first needs it. */
export class ServedTools {
  readonly baseUrl: URL;
  readonly #operations: ReadonlyMap<string, ApiOperation>;
  /** What each holds are the patterns of its schema that were needed so far. */
  readonly #validators = new Map<string, ValidateArguments>();
  #pages: ReadonlyMap<string, ToolPage> | undefined;

  constructor(operations: readonly ApiOperation[], { tools, upstream }: Pick<PreparedServer, 'tools' | 'upstream'>) {
    this.baseUrl = new URL(upstream.url);
    // Also here: nothing that may not be called has a way to be.
    this.#operations = new Map(operations.filter(({ name }) => tools?.mayCall(name) ?? true).map((operation) => [operation.name, operation]));
  }

  find(name: string): ApiOperation | undefined {
    return this.#operations.get(name);
  }

  problemsOf(operation: ApiOperation, args: Readonly<Record<string, unknown>>): readonly Problem[] {
    let validate = this.#validators.get(operation.name);
    if (validate === undefined) {
      validate = validateArguments(operation);
      this.#validators.set(operation.name, validate);
    }
    return validate(args);
  }

  /** @param cursor as a page had it; absent: the first. @returns `undefined` for a cursor that is none of these tools’ */
  page(cursor = ''): ToolPage | undefined {
    this.#pages ??= pagesOf([...this.#operations.values()].map((operation) => JSON.stringify(listedTool(operation))));
    return this.#pages.get(cursor);
  }
}

const served = new WeakMap<PreparedServer, ServedTools>();

/** @param server of an API */
export function servedTools(server: PreparedServer): ServedTools {
  let tools = served.get(server);
  if (tools === undefined) {
    tools = new ServedTools(server.operations ?? [], server);
    served.set(server, tools);
  }
  return tools;
}

/** By their cursors. Those of other tools are none of these: a client that went on after a change would miss some. */
function pagesOf(tools: readonly string[]): Map<string, ToolPage> {
  const digest = hash('sha256', tools.join('\n'), 'base64url').slice(0, 16);
  const pages = new Map<string, ToolPage>();
  let cursor = '';
  let page: string[] = [];
  let length = 0;
  for (const [index, tool] of tools.entries()) {
    if (page.length > 0 && (page.length === maxPageTools || length + tool.length > maxPageLength)) {
      const nextCursor = `${digest}.${index}`;
      pages.set(cursor, { tools: `[${page.join(',')}]`, nextCursor });
      [cursor, page, length] = [nextCursor, [], 0];
    }
    page.push(tool);
    length += tool.length;
  }
  return pages.set(cursor, { tools: `[${page.join(',')}]`, nextCursor: undefined });
}
