import { agentAuth, prepareAgentAuth } from '@gatehouse/agent-auth';
import type { Sql } from '../database/sql.ts';

export interface OpenServerCounts {
  /** In front of a credential that the gateway holds (D11, docs/rules.md). */
  readonly withCredential: number;
  readonly withoutCredential: number;
}

interface Group {
  readonly agentAuth: unknown;
  readonly holdsCredential: boolean;
  readonly count: number;
}

/** Servers that are alike are asked about together: there may be thousands, and few ways in which their callers authenticate. */
const groups = `select s.document -> 'agentAuth' as "agentAuth", c.holds as "holdsCredential", count(*) as count
  from servers s cross join lateral (
    select exists (
      select from secrets where owner_table = 'servers' and owner_id = s.id and (starts_with(field, '/appAuth[') or starts_with(field, '/outboundHeaders['))
    ) or coalesce(s.document @> '{"appAuth": {"type": "oauth-authorization-code", "shared": true}}', false)
      or coalesce(s.document @> '{"outboundHeaders": [{"source": {"type": "credential", "scope": "workspace"}}]}', false) as holds
  ) c
  where s.document -> 'enabled' is distinct from 'false'::jsonb
  group by 1, 2`;

/** How many servers anybody may call who reaches a data plane; those that are switched off let nobody in. */
export async function countOpenServers(sql: Sql): Promise<OpenServerCounts> {
  const open = (await sql<Group>(groups)).filter((group) => letsAnybodyIn(group.agentAuth));
  const countOf = (holdsCredential: boolean): number => open.filter((group) => group.holdsCredential === holdsCredential).reduce((sum, { count }) => sum + count, 0);
  return { withCredential: countOf(true), withoutCredential: countOf(false) };
}

/** What this release does not take, data planes do not either. */
function letsAnybodyIn(document: unknown): boolean {
  const { data } = agentAuth.safeParse(document);
  return data !== undefined && prepareAgentAuth(data).open;
}
