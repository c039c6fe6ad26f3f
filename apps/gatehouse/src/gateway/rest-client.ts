import { CommandFailure } from '../command-failure.ts';
import type { ControlPlaneAccess } from './find-gateway.ts';

export interface RestReply {
  readonly status: number;
  readonly body: unknown;
  readonly etag: string | undefined;
}

export interface RestClient {
  /** @returns undefined for 404. @throws RestFailure */
  find(path: string): Promise<RestReply | undefined>;
  /** All items of a collection, page by page. @throws RestFailure */
  list(path: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** POST of what is no document; with the ETag of what it changes. @throws RestFailure */
  act(path: string, body: unknown, etag?: string): Promise<RestReply>;
  /** @throws RestFailure */
  create(path: string, body: unknown): Promise<RestReply>;
  /** Replaces what has this ETag. @throws RestFailure, with status 412 when it has changed. */
  replace(path: string, body: unknown, etag: string): Promise<RestReply>;
}

interface ProblemDocument {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly pointer?: string; readonly detail?: string }[];
}

/** The gateway's answer when it is not what was asked for: a sentence, and a line for each problem with its pointer. */
export class RestFailure extends CommandFailure {
  readonly status: number;
  readonly code: string | undefined;

  constructor(request: string, status: number, problem: ProblemDocument) {
    const { title = 'the gateway gave no reason', detail, errors = [] } = problem;
    // Where each problem is listed, the detail would only say the first ones again.
    const head = status === 401 ? 'The gateway refuses the admin token (GATEHOUSE_TOKEN).' : errors.length > 0 ? title : (detail ?? title);
    const lines = errors.map(({ pointer, detail }) => `  ${pointer || '/'} ${detail ?? ''}`);
    super([`${head} (${status}, ${request})`, ...lines].join('\n'));
    this.status = status;
    this.code = problem.code;
  }
}

/** A description of an API may take half a minute to be fetched, and some seconds to be read. */
const timeoutMs = 60_000;

/** The gateway's REST API. */
export function createRestClient({ url, token }: ControlPlaneAccess): RestClient {
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<RestReply> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A redirect would take the token elsewhere.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new CommandFailure(`Nothing answers at ${url}: is the gateway running?`, { cause: error });
    });
    const text = await response.text();
    if (!response.ok) throw new RestFailure(`${method} ${path}`, response.status, problemOf(text));
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text), etag: response.headers.get('etag') ?? undefined };
  };

  return {
    find: (path) =>
      send('GET', path).catch((error: unknown) => {
        if (error instanceof RestFailure && error.status === 404) return undefined;
        throw error;
      }),
    list: async (path) => {
      const items: Record<string, unknown>[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const { body } = await send('GET', cursor === '' ? path : `${path}?cursor=${encodeURIComponent(cursor)}`);
        const page = body as { items: Record<string, unknown>[]; nextCursor?: string | null };
        items.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      }
      return items;
    },
    act: (path, body, etag) => send('POST', path, body, etag === undefined ? {} : { 'If-Match': etag }),
    create: (path, body) => send('POST', path, body),
    replace: (path, body, etag) => send('PUT', path, body, { 'If-Match': etag }),
  };
}

function problemOf(text: string): ProblemDocument {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
