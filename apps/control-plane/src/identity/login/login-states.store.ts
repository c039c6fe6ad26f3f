import type { Sql } from '../../database/sql.ts';

/** A login that was begun at a provider. */
export interface LoginState {
  readonly stateHash: Buffer;
  /** Which browser began it. */
  readonly browserHash: Buffer;
  readonly providerId: string;
  readonly returnTo: string;
  /** The person is to prove again who they are. */
  readonly isFresh: boolean;
}

const life = `interval '10 minutes'`;

export async function insertLoginState(sql: Sql, { stateHash, browserHash, providerId, returnTo, isFresh }: LoginState): Promise<void> {
  await sql(`delete from login_states where created_at < now() - ${life}`);
  await sql('insert into login_states (state_hash, browser_hash, provider_id, return_to, is_fresh) values ($1, $2, $3, $4, $5)', [
    stateHash, browserHash, providerId, returnTo, isFresh,
  ]);
}

export interface BegunLogin {
  readonly returnTo: string;
  readonly isFresh: boolean;
  readonly begunAt: Date;
}

/** Takes a login that this browser began at this provider, once: of two that ask at the same time, one gets it. */
export async function takeLoginState(sql: Sql, { stateHash, browserHash, providerId }: Pick<LoginState, 'stateHash' | 'browserHash' | 'providerId'>): Promise<BegunLogin | undefined> {
  const [row] = await sql<BegunLogin>(
    `delete from login_states where state_hash = $1 and browser_hash = $2 and provider_id = $3 and created_at > now() - ${life}
     returning return_to as "returnTo", is_fresh as "isFresh", created_at as "begunAt"`,
    [stateHash, browserHash, providerId],
  );
  return row;
}
