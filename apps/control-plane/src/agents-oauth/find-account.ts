import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import type { People } from '../identity/people.service.ts';
import { agentAccount } from './agent-account.ts';
import { passingError, unlessUnavailable } from './oauth-unavailable.ts';
import { readSuspendedProviders } from './suspended-providers.store.ts';

export interface AccountParts {
  readonly sql: Sql;
  readonly people: Pick<People, 'find'>;
}

/** Whoever a token is for. Nobody, where they may not use anything: clients ask them to log in again. */
export async function findAccount(ctx: KoaContextWithOIDC, id: string, { sql, people }: AccountParts): Promise<Account | undefined> {
  const person = await unlessUnavailable(() => people.find(id));
  if (!person?.disabled) return person && agentAccount(person);
  // A provider that is switched off may be on again in an hour: until then clients keep what they have.
  if (ctx.oidc.route === 'token' && (await unlessUnavailable(() => readSuspendedProviders(sql))).includes(person.provider)) throw passingError();
  return undefined;
}
