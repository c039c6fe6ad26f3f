import { revocationsId } from '@gatehouse/gateway-config';
import type { KeyRing, Secret } from '@gatehouse/sealing';
import { deleteConnections, insertConnection, lockConnections, type WhichConnections } from '../../connections/connections.store.ts';
import { insertTokenRevocations } from '../../connections/disconnect/token-revocations.store.ts';
import { nextRefreshSeconds } from '../../connections/refresh/refresh-schedule.ts';
import { sealTokens } from '../../connections/token-seals.ts';
import type { Sql } from '../../database/sql.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { takeRevision } from '../../snapshots/revisions.store.ts';
import { gatewayItself } from '../../vault/vault.ts';

/** What a provider gave at a login. */
export interface ProviderTokens {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | undefined;
  readonly idToken: Secret | undefined;
}

export interface TokenOwner {
  readonly sessionId: string;
  readonly personId: string;
  readonly provider: string;
  readonly issuer: string;
}

export interface TokenTerms {
  readonly scope: string | undefined;
  readonly expiresInSeconds: number | undefined;
}

const refresh = { rotates: true };

/**
 * Of a new login: a connection of its session, which is refreshed like any other. Those of the person's sessions that are over go:
 * the newest login's tokens are the ones to use. What the release before this one has kept goes too.
 */
export async function insertProviderTokens(sql: Sql, ring: KeyRing, owner: TokenOwner, tokens: ProviderTokens, { scope, expiresInSeconds }: TokenTerms): Promise<void> {
  const { sessionId, personId, provider } = owner;
  await sql('delete from provider_tokens where person_id = $1', [personId]);
  await sql('delete from connections c where person_id = $1 and session_id is not null and not exists (select from browser_sessions s where s.id = c.session_id)', [personId]);
  const [found] = await sql<{ id: string }>('select id from identity_providers where name = $1 for key share', [provider]);
  if (!found) throw new TypeError(`nobody logs in at ${provider}, which is not there`);
  const id = uuidV7();
  await insertConnection(sql, {
    id, owner: { kind: 'identity-provider', id: found.id, workspaceId: gatewayItself }, personId, sessionId,
    ...sealTokens(ring, { id, workspaceId: gatewayItself, ownerId: found.id, personId }, tokens),
    refreshable: tokens.refreshToken !== undefined,
    scopes: scope === undefined ? [] : scope.split(' ').filter((name) => name !== ''),
    account: null,
    expiresInSeconds: expiresInSeconds ?? null,
    nextRefreshSeconds: tokens.refreshToken === undefined ? null : nextRefreshSeconds(expiresInSeconds, refresh),
  });
}

/** Of one login, or of all of them. */
export async function deleteProviderTokens(sql: Sql, personId: string, sessionId?: string): Promise<void> {
  await sql('delete from provider_tokens where person_id = $1 and ($2::uuid is null or session_id = $2)', [personId, sessionId ?? null]);
  await endThose(sql, { person: personId, kinds: 'sessions', session: sessionId });
}

/** Of a provider that nobody logs in at any more. */
export async function deleteTokensOfProvider(sql: Sql, providerId: string): Promise<void> {
  await endThose(sql, { owner: providerId });
}

/** They are not given back to the provider: that would end its own session, and perhaps other logins there. Data planes forget theirs. */
async function endThose(sql: Sql, which: WhichConnections): Promise<void> {
  const ids = (await lockConnections(sql, which)).map(({ id }) => id);
  if (ids.length === 0) return;
  await deleteConnections(sql, ids);
  await insertTokenRevocations(sql, ids);
  await takeRevision(sql, [revocationsId]);
}
