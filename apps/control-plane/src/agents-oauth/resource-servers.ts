import { resourceUrl } from '@gatehouse/agent-auth';
import type { Access, WorkspaceAccess } from '@gatehouse/gateway-config';
import { z } from 'zod';
import type { Sql } from '../database/sql.ts';

/** A server that people's agents log in for, as the authorization server knows it. */
export interface ResourceServer {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly title: string;
  /** The identity provider whose people may come; absent, those of all of them. */
  readonly identityProvider: string | undefined;
  /** What a client may ask for. */
  readonly scopes: readonly string[];
  readonly access: Access | undefined;
  /** Who belongs to its workspace. */
  readonly workspaceAccess: WorkspaceAccess | undefined;
}

/** The one scope that every server has: to use it. */
export const baseScope = 'mcp';

/** Of a document that was validated when it was stored. */
const document = z.object({
  title: z.string().optional(),
  agentAuth: z.object({ type: z.literal('interactive'), identityProvider: z.string().optional(), scopes: z.array(z.string()).optional() }),
  access: z.unknown().optional(),
});

interface Row {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly document: unknown;
  readonly workspaceAccess: WorkspaceAccess | null;
}

const select = `select s.id, w.name as workspace, s.name, s.document, w.access as "workspaceAccess" from servers s join workspaces w on w.id = s.workspace_id
  where s.document #>> '{agentAuth,type}' = 'interactive' and coalesce((s.document->>'enabled')::boolean, true)`;

/** Where a server is, as a resource indicator (RFC 8707) names it. */
export interface ResourceName {
  readonly workspace: string;
  readonly name: string;
  /** As tokens name it in `aud`. */
  readonly audience: string;
}

/**
 * Reads a resource indicator: the URL that a server has for its clients, of either transport, and nothing around it. Undefined where
 * it can be none of ours.
 */
export function readResource(resource: string, dataPlaneUrl: string): ResourceName | undefined {
  if (resource.length > 1_000 || !URL.canParse(resource)) return undefined;
  const { href } = new URL(resource);
  const base = `${new URL(dataPlaneUrl).href.replace(/\/+$/, '')}/`;
  const [, form, workspace, name] = (href.startsWith(base) && /^(mcp|sse)\/([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})\/?$/.exec(href.slice(base.length))) || [];
  if (form === undefined || workspace === undefined || name === undefined) return undefined;
  return { workspace, name, audience: resourceUrl(dataPlaneUrl, form === 'mcp' ? 'mcp' : 'sse', { workspace, name }) };
}

/** The resource indicator of a server, as its metadata has it. */
export const resourceOf = (server: ResourceServer, dataPlaneUrl: string): string => resourceUrl(dataPlaneUrl, 'mcp', server);

export async function findResourceServer(sql: Sql, { workspace, name }: ResourceName): Promise<ResourceServer | undefined> {
  const [row] = await sql<Row>(`${select} and w.name = $1 and s.name = $2`, [workspace, name]);
  return row && resourceServerOf(row);
}

/** The only one there is, or nothing where there are none or several. */
export async function findOnlyResourceServer(sql: Sql): Promise<ResourceServer | undefined> {
  const [row, another] = await sql<Row>(`${select} limit 2`);
  return row && !another ? resourceServerOf(row) : undefined;
}

function resourceServerOf({ id, workspace, name, document: stored, workspaceAccess }: Row): ResourceServer | undefined {
  const { data } = document.safeParse(stored);
  if (!data) return undefined;
  const { identityProvider, scopes = [] } = data.agentAuth;
  return { id, workspace, name, title: data.title ?? name, identityProvider, scopes: [...new Set([baseScope, ...scopes])], access: data.access as Access | undefined, workspaceAccess: workspaceAccess ?? undefined };
}
