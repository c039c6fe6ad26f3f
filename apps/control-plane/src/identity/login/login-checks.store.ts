import type { Sql } from '../../database/sql.ts';
import { type SealedConnection, sealedColumns } from '../../connections/connections.store.ts';

export interface CheckTerms {
  readonly checkSeconds: number;
  readonly graceSeconds: number;
}

/** How old a provider's word about a person is, by the database's clock. */
export interface CheckState {
  /** It has to be asked again. */
  readonly isDue: boolean;
  /** Without an answer its last word still counts. */
  readonly isTolerated: boolean;
  /** So does what was said at the last login. */
  readonly isLoginRecent: boolean;
  /** A replica is asking it. */
  readonly isBeingAsked: boolean;
  /** It could not be asked a moment ago. */
  readonly isPausing: boolean;
}

const lastLogin = 'coalesce(p.last_login_at, p.created_at)';
const lastWord = `greatest(k.checked_at, ${lastLogin})`;

/** Undefined for nobody. Of accounts of the gateway itself nobody is asked. */
export async function readCheckState(sql: Sql, personId: string, { checkSeconds, graceSeconds }: CheckTerms): Promise<CheckState | undefined> {
  const [row] = await sql<CheckState>(
    `select p.provider <> 'local' and ${lastWord} <= now() - make_interval(secs => $2) as "isDue", ${lastWord} > now() - make_interval(secs => $3) as "isTolerated",
       ${lastLogin} > now() - make_interval(secs => $3) as "isLoginRecent", coalesce(k.asking_until > now(), false) as "isBeingAsked", coalesce(k.retry_at > now(), false) as "isPausing"
     from people p left join provider_checks k on k.person_id = p.id where p.id = $1`,
    [personId, checkSeconds, graceSeconds],
  );
  return row;
}

export interface Claimed {
  readonly personId: string;
  readonly askedBy: string;
}

/** Of any number of replicas one asks. @returns whether it is this one */
export async function claimCheck(sql: Sql, { personId, askedBy }: Claimed, checkSeconds: number, leaseSeconds: number): Promise<boolean> {
  const rows = await sql(
    `insert into provider_checks as k (person_id, asked_by, asking_until) values ($1, $2, now() + make_interval(secs => $4))
     on conflict on constraint provider_checks_pkey do update set asked_by = excluded.asked_by, asking_until = excluded.asking_until
       where (k.asking_until is null or k.asking_until <= now()) and (k.checked_at is null or k.checked_at <= now() - make_interval(secs => $3))
     returning person_id`,
    [personId, askedBy, checkSeconds, leaseSeconds],
  );
  return rows.length > 0;
}

/** The provider has spoken for the person. */
export async function noteAnswer(sql: Sql, { personId, askedBy }: Claimed): Promise<void> {
  await sql(
    `update provider_checks set checked_at = now(), retry_at = null, asking_until = case when asked_by = $2 then null else asking_until end where person_id = $1`,
    [personId, askedBy],
  );
}

/** It has not: it is left alone for a while. */
export async function noteSilence(sql: Sql, { personId, askedBy }: Claimed, pauseSeconds: number): Promise<void> {
  await sql(`update provider_checks set asking_until = null, retry_at = now() + make_interval(secs => $3) where person_id = $1 and asked_by = $2`, [personId, askedBy, pauseSeconds]);
}

/** Tokens of a login. */
export type Login = SealedConnection & { readonly personId: string; readonly sessionId: string };

/** What a person's logins were given, the newest first. */
export function listLogins(sql: Sql, personId: string): Promise<Login[]> {
  return sql<Login>(`select ${sealedColumns} from connections c where c.person_id = $1 and c.session_id is not null and c.owner_kind = 'identity-provider' order by c.id desc limit 50`, [personId]);
}
