import { takeSecrets } from '@gatehouse/config-fields';
import { type KeyRing, Secret } from '@gatehouse/sealing';
import type { Sql } from '../database/sql.ts';
import type { ServerRow } from '../servers/servers.store.ts';
import { openSecret, type SealedSecret } from '../vault/secrets.store.ts';
import { namedCredentials } from './named-credentials.ts';
import { secretOwnerOf } from './present-credential.ts';

/** A workspace's value, still sealed. */
export interface SealedWorkspaceValue extends SealedSecret {
  readonly workspaceId: string;
  readonly name: string;
}

/** The values that servers send of their workspaces' credentials. One that is not there, or is each person's own, is none of them. */
export async function readWorkspaceValues(sql: Sql, servers: readonly ServerRow[]): Promise<SealedWorkspaceValue[]> {
  const wanted = servers.flatMap(({ workspaceId, document }) => namedCredentials(document).filter(({ scope }) => scope === 'workspace').map(({ name }) => ({ workspaceId, name })));
  if (wanted.length === 0) return [];
  return sql<SealedWorkspaceValue>(
    `select c.workspace_id as "workspaceId", c.name, c.id as "ownerId", s.field, s.updated_at as "updatedAt", s.sealed
     from credentials c join secrets s on s.owner_table = 'credentials' and s.owner_id = c.id and s.field = '/value'
     where c.document->>'scope' = 'workspace' and (c.workspace_id, c.name) in (select * from unnest($1::uuid[], $2::text[]))`,
    [wanted.map(({ workspaceId }) => workspaceId), wanted.map(({ name }) => name)],
  );
}

/** By their locations in a server's document. @throws UnsealError */
export function openWorkspaceValues({ document }: ServerRow, ring: KeyRing, values: readonly SealedWorkspaceValue[]): Map<string, string> {
  const headers = document['outboundHeaders'] as readonly { readonly source: object }[];
  const opened = namedCredentials(document).flatMap(({ index, name, scope }) => {
    const value = scope === 'workspace' ? values.find((candidate) => candidate.name === name) : undefined;
    return value === undefined ? [] : [[index, new Secret(openSecret(ring, secretOwnerOf({ workspaceId: value.workspaceId, id: value.ownerId }), value))] as const];
  });
  if (opened.length === 0) return new Map();
  const byIndex = new Map(opened);
  const filled = headers.map((header, index) => ({ ...header, source: { ...header.source, value: byIndex.get(index) } }));
  return new Map([...takeSecrets({ outboundHeaders: filled }).secrets].flatMap(([location, secret]) => (secret instanceof Secret ? [[location, secret.reveal()] as const] : [])));
}
