import type { Account, KoaContextWithOIDC } from 'oidc-provider';
import type { Sql } from '../database/sql.ts';
import type { LoginChecks } from '../identity/login/login-checks.service.ts';
import type { People } from '../identity/people.service.ts';
import { agentAccount } from './agent-account.ts';
import { existsGrant } from './grants.store.ts';
import { passingError, unlessUnavailable } from './oauth-unavailable.ts';
import { readSuspendedProviders } from './suspended-providers.store.ts';

export interface AccountParts {
  readonly sql: Sql;
  readonly people: Pick<People, 'find'>;
  readonly logins: Pick<LoginChecks, 'check'>;
}

/** Whoever a token is for. Nobody, where they may not use anything: clients ask them to log in again. */
export async function findAccount(ctx: KoaContextWithOIDC, id: string, { sql, people, logins }: AccountParts): Promise<Account | undefined> {
  const find = () => unlessUnavailable(() => people.find(id));
  let person = await find();
  if (ctx.oidc.route === 'token' && person?.disabled === false) {
    const check = await unlessUnavailable(() => logins.check(id));
    if (check === 'unavailable') throw passingError();
    if (check === 'asked') {
      if (!(await unlessUnavailable(() => isGrantLeft(ctx, sql)))) return undefined;
      person = await find();
    }
  }
  if (!person?.disabled) return person && agentAccount(person);
  // A provider that is switched off may be on again in an hour: until then clients keep what they have.
  if (ctx.oidc.route === 'token' && (await unlessUnavailable(() => readSuspendedProviders(sql))).includes(person.provider)) throw passingError();
  return undefined;
}

/** The provider may have ended it; the library has read it before that. */
async function isGrantLeft(ctx: KoaContextWithOIDC, sql: Sql): Promise<boolean> {
  const grantId = ctx.oidc.entities.Grant?.jti;
  return grantId !== undefined && existsGrant(sql, grantId);
}
