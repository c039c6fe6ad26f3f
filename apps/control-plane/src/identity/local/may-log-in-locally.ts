import type { Sql } from '../../database/sql.ts';
import type { Person } from '../person.ts';
import { listEnabledProviders } from '../providers/identity-providers.store.ts';

/** Where people log in at a provider, accounts of the gateway itself are for administrators only, whether by password or by link. */
export async function mayLogInLocally(sql: Sql, { disabled, roles }: Person): Promise<boolean> {
  return !disabled && (roles.includes('admin') || (await listEnabledProviders(sql)).length === 0);
}
