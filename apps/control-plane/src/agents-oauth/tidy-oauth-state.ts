import type { Sql } from '../database/sql.ts';
import { forgetConsentsWithoutGrants, forgetOldConsents } from './consents.store.ts';
import { forgetSpentGrants } from './grants.store.ts';
import { forgetExpiredState } from './oauth-state.store.ts';
import { forgetRevocations } from './revocations.store.ts';

const maxBatches = 100;

/** Removes what has expired, in batches, so that no statement holds many rows for long. Several replicas may do it at once. */
export async function tidyOAuthState(sql: Sql): Promise<void> {
  for (let batch = 0; batch < maxBatches && (await forgetExpiredState(sql)); batch += 1);
  await forgetSpentGrants(sql);
  await forgetConsentsWithoutGrants(sql);
  await forgetRevocations(sql);
  await forgetOldConsents(sql);
}
