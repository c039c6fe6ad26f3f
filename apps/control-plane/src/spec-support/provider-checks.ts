import { decodeJwt } from 'jose';
import { type AgentsFixture, type RegisteredAgent, resourceUrl } from './use-agents.ts';
import { ana } from './use-login.ts';

/** A server whose tokens name the groups it asks for. */
export const grouped = 'of-groups';
export const ofGroups = { resource: resourceUrl(grouped) };
const access = { allow: [{ group: 'sales' }, { group: 'platform' }] };

export function providerChecks(fixture: AgentsFixture) {
  const refresh = (agent: RegisteredAgent, token: unknown, at?: string) =>
    fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: String(token), client_id: agent.clientId }, { ...(at !== undefined && { at }) });
  return {
    refresh,
    /** As if so much time had gone by since anybody heard of the provider. */
    pass: async (interval: string): Promise<void> => {
      await fixture.query(`update people set last_login_at = last_login_at - interval '${interval}'`);
      await fixture.query(`update provider_checks set checked_at = checked_at - interval '${interval}', retry_at = null`);
      await fixture.query('update connections set retry_at = null');
    },
    asked: () => fixture.provider.requests.filter((request) => request === 'POST /token').length,
    left: async () => {
      const [row] = await fixture.query<Record<string, number>>(
        `select (select count(*)::int from browser_sessions) as sessions, (select count(*)::int from oauth_grants) as grants,
           (select count(*)::int from connections) as tokens, (select count(*)::int from oauth_revocations) as revoked`,
      );
      return row;
    },
  };
}

/** Nobody has logged in. */
export const clearLogins = async (fixture: AgentsFixture): Promise<void> => {
  fixture.provider.goAway(false);
  fixture.provider.put(ana);
  for (const table of ['oauth_grants', 'oauth_revocations', 'connections', 'people']) await fixture.query(`delete from ${table}`);
};

export const groupsOf = (accessToken: unknown): unknown => decodeJwt(String(accessToken))['groups'];
export const addGrouped = (fixture: AgentsFixture, identityProvider?: string): Promise<void> =>
  fixture.addServer(grouped, { access, agentAuth: { type: 'interactive', ...(identityProvider !== undefined && { identityProvider }) } });
