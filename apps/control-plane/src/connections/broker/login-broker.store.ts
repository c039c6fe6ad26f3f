import type { Sql } from '../../database/sql.ts';
import type { Login } from '../../identity/login/login-checks.store.ts';
import { sealedColumns } from '../connections.store.ts';

export type GrantedLogin = Login & {
  /** The agent that calls was let in from this very session. */
  readonly isOfGrant: boolean;
};

/** What a person's logins were given: first that of the session which a grant was given in, then the newest. */
export function listLoginsFor(sql: Sql, personId: string, grantId: string | undefined): Promise<GrantedLogin[]> {
  return sql<GrantedLogin>(
    `select ${sealedColumns}, coalesce(c.session_id = g.session_id, false) as "isOfGrant"
     from connections c left join oauth_grants g on g.id = $2::uuid and g.person_id = c.person_id
     where c.person_id = $1 and c.session_id is not null and c.owner_kind = 'identity-provider' order by "isOfGrant" desc, c.id desc limit 50`,
    [personId, grantId ?? null],
  );
}
