import type { Account } from 'oidc-provider';
import type { Person } from '../identity/person.ts';

/** A person as oidc-provider knows one. */
export interface AgentAccount extends Account {
  readonly person: Person;
}

export const agentAccount = (person: Person): AgentAccount => ({
  accountId: person.id,
  person,
  // Of ID tokens, for clients that ask for `openid`: who it is, and nothing about them.
  claims: () => ({ sub: person.id }),
});

/** @throws TypeError for an account that is not one of ours */
export function personOf(account: Account | undefined): Person {
  if (account === undefined || !('person' in account)) throw new TypeError('an account without its person');
  return (account as AgentAccount).person;
}
