import { isDeepStrictEqual } from 'node:util';
import { CommandFailure } from '../command-failure.ts';
import type { McpClient, ServerEntry } from './mcp-client.ts';

type Json = Record<string, unknown>;

/** The whole configuration of a client that has nothing else. */
export function configurationOf(client: McpClient, servers: readonly ServerEntry[]): Json {
  return merged(client, {}, servers);
}

/**
 * A client's file with the servers in it, everything else as it was; undefined when nothing would change.
 * @throws CommandFailure when the file cannot be read as JSON, or has another server of that name
 */
export function mergeConfiguration(client: McpClient, text: string | undefined, servers: readonly ServerEntry[]): string | undefined {
  const current = text === undefined || text.trim() === '' ? {} : parsed(text);
  const wanted = merged(client, current, servers);
  if (isDeepStrictEqual(current, wanted)) return undefined;
  return `${JSON.stringify(wanted, null, indentationOf(text ?? ''))}\n`;
}

function merged(client: McpClient, current: Json, servers: readonly ServerEntry[]): Json {
  const there = current[client.field] ?? {};
  if (!isJson(there)) throw new CommandFailure(`its field "${client.field}" is no object`);
  for (const { name, url } of servers) {
    if (name in there && !isOfGateway(there[name], url)) throw new CommandFailure(`it has another server named "${name}", which is left alone`);
  }
  const added = Object.fromEntries(servers.map((server) => [server.name, { ...ownFields(there[server.name]), ...client.entry(server) }]));
  const lists = Object.entries(client.extras?.(servers) ?? {}).map(([field, items]): [string, unknown[]] => [field, listWith(current[field], items)]);
  return { ...current, ...Object.fromEntries(lists), [client.field]: { ...there, ...added } };
}

/** What somebody added to an entry stays, such as an allow list of tools. */
const ownFields = (entry: unknown): Json => (isJson(entry) ? entry : {});

/** An entry that leads to the same server of a gateway, perhaps at another port. */
function isOfGateway(entry: unknown, url: string): boolean {
  return JSON.stringify(entry).includes(`${new URL(url).pathname}"`);
}

function listWith(current: unknown, items: readonly { readonly id: string }[]): unknown[] {
  const there: unknown[] = Array.isArray(current) ? current : [];
  return [...there, ...items.filter(({ id }) => !there.some((item) => isJson(item) && item['id'] === id))];
}

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isJson(value)) return value;
  } catch {
    // Comments are the usual reason: writing it again would lose them.
  }
  throw new CommandFailure('it is not plain JSON (comments would be lost), so it is left alone; add the configuration by hand');
}

const indentationOf = (text: string): string => /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
