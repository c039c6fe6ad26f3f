import type { Sql } from '../database/sql.ts';
import type { ChainedAuditEvent } from './audit-event.ts';

interface Row extends Omit<ChainedAuditEvent, 'at' | 'actorName'> {
  readonly at: Date;
  readonly actorName: string | null;
}

const select = `select sequence, id, at, actor, actor_name as "actorName", action, workspace, target_kind as "targetKind", target_id as "targetId",
  target_name as "targetName", fields, prev_hash as "prevHash", hash from audit_events`;

export interface AuditPage {
  readonly workspace: string | undefined;
  /** Exclusive; the newest come first. */
  readonly before: number | undefined;
  readonly limit: number;
}

export async function listAuditEvents(sql: Sql, { workspace, before, limit }: AuditPage): Promise<ChainedAuditEvent[]> {
  const rows = await sql<Row>(
    `${select} where ($1::text is null or workspace = $1) and ($2::bigint is null or sequence < $2) order by sequence desc limit $3`,
    [workspace ?? null, before ?? null, limit],
  );
  return rows.map(toEvent);
}

/** In the order of the chain. */
export async function readAuditChain(sql: Sql, after: number, limit: number): Promise<ChainedAuditEvent[]> {
  return (await sql<Row>(`${select} where sequence > $1 order by sequence limit $2`, [after, limit])).map(toEvent);
}

// What an event does not have is absent, as it was when it was hashed.
const toEvent = ({ at, actorName, ...row }: Row): ChainedAuditEvent => ({ ...row, at: at.toISOString(), ...(actorName !== null && { actorName }) });
