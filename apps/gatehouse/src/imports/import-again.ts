import { isDeepStrictEqual } from 'node:util';
import { CommandFailure } from '../command-failure.ts';
import type { RestClient, RestReply } from '../gateway/rest-client.ts';
import { output, styled } from '../output.ts';
import { renderToolsDiff, type ToolsDiff } from './render-preview.ts';

export interface Wanted {
  readonly name: string;
  readonly tools: { readonly openapi?: object; readonly graphql?: object };
  readonly upstream: { readonly url: string };
}

export interface KnownImport {
  readonly rest: RestClient;
  readonly known: RestReply;
  /** What was asked for. */
  readonly wanted: Wanted;
  /** What the tools are given with, where they are not read from elsewhere. */
  readonly source: string | undefined;
}

/** Imports the tools of a server again, and shows what is different. */
export async function importAgain({ rest, known, wanted, source }: KnownImport, { dryRun = false, json = false }: { readonly dryRun?: boolean; readonly json?: boolean }): Promise<number> {
  const server = known.body as { readonly type: string; readonly tools?: Readonly<Record<string, unknown>>; readonly upstream?: { readonly url: string }; readonly id: string; readonly workspace: string };
  if (server.type !== 'api' || !isSameImport(server, wanted)) {
    throw new CommandFailure(`There is a server "${wanted.name}" already, whose tools are not imported from here in this way: choose another --name, or change that one (gatehouse apply).`);
  }
  const path = `/v1/workspaces/${encodeURIComponent(server.workspace)}/servers/${server.id}`;
  const body = source === undefined ? {} : { document: source };
  const { body: answer } = dryRun ? await rest.act(`${path}/reimport`, body) : await rest.act(`${path}/reimport`, { ...body, apply: true }, known.etag ?? '*');
  const diff = answer as ToolsDiff;
  if (json) output.json(diff);
  else {
    const what = isEmpty(diff) ? 'unchanged' : dryRun ? 'would be changed' : styled('yellow', 'changed');
    output.line([`Server ${server.workspace}/${wanted.name} ${what}`, ...renderToolsDiff(diff)].join('\n'));
  }
  return 0;
}

const isEmpty = ({ added, removed, changed }: ToolsDiff): boolean => added.length + removed.length + changed.length === 0;

/** Whether both have their tools from one place: what a document was given with may be another one. */
function isSameImport(known: { readonly tools?: Readonly<Record<string, unknown>>; readonly upstream?: { readonly url: string } }, wanted: Wanted): boolean {
  const isElsewhere = wanted.tools.graphql !== undefined && known.upstream?.url !== wanted.upstream.url;
  return !isElsewhere && isDeepStrictEqual(withoutSource(known.tools ?? {}), withoutSource(wanted.tools));
}

function withoutSource({ openapi, graphql }: Readonly<Record<string, unknown>>): unknown {
  const mark = (part: unknown, field: string): unknown =>
    typeof part === 'object' && part !== null ? Object.fromEntries(Object.entries(part).flatMap(([key, value]) => (value === undefined ? [] : [[key, key === field ? true : (value as unknown)]]))) : undefined;
  return { openapi: mark(openapi, 'document'), graphql: mark(graphql, 'schema') };
}
