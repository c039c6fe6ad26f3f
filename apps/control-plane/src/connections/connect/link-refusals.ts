import { GatewayError } from '@gatehouse/errors';
import { highestRole, isAtLeast, type Person } from '../../identity/person.ts';
import type { ConnectLink } from '../connect-links.service.ts';
import { ConnectRefusal, type RefusalReason } from './connect-refusal.ts';

/** @throws ConnectRefusal */
export function requireItsPerson({ personId }: ConnectLink, person: Person): void {
  if (personId === undefined) requireAdministrator(person);
  else if (personId !== person.id) throw new ConnectRefusal('other_person');
}

/** @throws ConnectRefusal */
export function requireAdministrator({ roles }: Person, app?: string): void {
  if (!isAtLeast(highestRole(roles), 'admin')) throw new ConnectRefusal('not_an_administrator', { ...(app !== undefined && { app }) });
}

/** What is wrong with a link, as a page says it; any other error as it is. */
export function refusalOfLink(error: unknown, reason: RefusalReason): unknown {
  return error instanceof GatewayError && error.code === 'connect_link_invalid' ? new ConnectRefusal(reason, { detail: error.detail ?? reason, cause: error }) : error;
}
