import type { Database } from '../../database/database.ts';
import { forgetDeadSessions } from '../browser-sessions.store.ts';
import { deleteProviderTokens } from './provider-tokens.store.ts';

const maxAtOnce = 500;

/**
 * What a provider gave at a login is used after its session too: agents go on, and call as that person. Once the session is over and
 * the person has no agent left, nobody does. @returns how many logins' tokens went
 */
export async function tidyLoginTokens(database: Database): Promise<number> {
  await forgetDeadSessions(database.sql);
  const unused = await database.sql<{ personId: string; sessionId: string }>(
    `select distinct c.person_id as "personId", c.session_id as "sessionId" from connections c
     where c.session_id is not null and not exists (select from browser_sessions s where s.id = c.session_id)
       and not exists (select from oauth_grants g where g.person_id = c.person_id) limit $1`,
    [maxAtOnce],
  );
  for (const { personId, sessionId } of unused) await database.transaction((sql) => deleteProviderTokens(sql, personId, sessionId));
  return unused.length;
}
