import type { Sql } from '../database/sql.ts';
import { type PersonRow, personColumns } from './people.store.ts';

/** Why a session ends: unused for two hours, or twelve hours after the login. By the database's clock, which all replicas share. */
export const sessionLife = { idleSeconds: 2 * 3600, absoluteSeconds: 12 * 3600 } as const;

/** How old "last used" may be: a session is not written with each request. */
const touchSeconds = 60;

const isAlive = `s.expires_at > now() and s.last_used_at > now() - interval '${sessionLife.idleSeconds} seconds'`;

export interface SessionRow {
  readonly id: string;
  readonly personId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

const columns = `s.id, s.person_id as "personId", s.created_at as "createdAt", s.last_used_at as "lastUsedAt", s.expires_at as "expiresAt"`;

export interface OpenedSession {
  readonly sessionId: string;
  readonly authenticatedAt: Date;
  readonly isStale: boolean;
  readonly person: PersonRow;
}

/** The session of a token and its person, as long as it is alive. */
export async function findSession(sql: Sql, tokenHash: Buffer): Promise<OpenedSession | undefined> {
  const [row] = await sql<PersonRow & { sessionId: string; authenticatedAt: Date; isStale: boolean }>(
    `select s.id as "sessionId", s.created_at as "authenticatedAt", s.last_used_at < now() - interval '${touchSeconds} seconds' as "isStale", ${personColumns}
     from browser_sessions s join people p on p.id = s.person_id where s.token_hash = $1 and ${isAlive}`,
    [tokenHash],
  );
  if (row === undefined) return undefined;
  const { sessionId, authenticatedAt, isStale, ...person } = row;
  return { sessionId, authenticatedAt, isStale, person };
}

export async function touchSession(sql: Sql, id: string): Promise<void> {
  await sql('update browser_sessions set last_used_at = now() where id = $1', [id]);
}

export async function insertSession(sql: Sql, session: { id: string; personId: string; tokenHash: Buffer }): Promise<void> {
  await sql(
    `insert into browser_sessions (id, person_id, token_hash, expires_at) values ($1, $2, $3, now() + interval '${sessionLife.absoluteSeconds} seconds')`,
    [session.id, session.personId, session.tokenHash],
  );
}

export async function deleteSessionOfToken(sql: Sql, tokenHash: Buffer): Promise<{ id: string; personId: string } | undefined> {
  const [row] = await sql<{ id: string; personId: string }>('delete from browser_sessions where token_hash = $1 returning id, person_id as "personId"', [tokenHash]);
  return row;
}

/** @returns whether there was one. */
export async function deleteSession(sql: Sql, personId: string, id: string): Promise<boolean> {
  return (await sql('delete from browser_sessions where person_id = $1 and id = $2 returning id', [personId, id])).length > 0;
}

/** @returns how many there were. */
export async function deleteSessions(sql: Sql, personId: string): Promise<number> {
  return (await sql('delete from browser_sessions where person_id = $1 returning id', [personId])).length;
}

/** The newest first. */
export function listSessions(sql: Sql, personId: string): Promise<SessionRow[]> {
  return sql<SessionRow>(`select ${columns} from browser_sessions s where s.person_id = $1 and ${isAlive} order by s.id desc limit 200`, [personId]);
}

/** Several at once leave each other's alone. */
export async function forgetDeadSessions(sql: Sql): Promise<void> {
  await sql(`delete from browser_sessions d where d.id in (select s.id from browser_sessions s where not (${isAlive}) limit 1000 for update skip locked)`);
}
