import { type KeyRing, seal, Secret, sealedTerm, unseal } from '@gatehouse/sealing';
import type { Sql } from '../../database/sql.ts';
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

export const providerTokensContext = ({ sessionId, personId }: Pick<TokenOwner, 'sessionId' | 'personId'>) => [gatewayItself, 'provider_tokens', sessionId, personId, 'tokens'] as const;

/** Of a new login. Those of the person's sessions that are over go: the newest login's tokens are the ones to use. */
export async function insertProviderTokens(sql: Sql, ring: KeyRing, owner: TokenOwner, tokens: ProviderTokens, { scope, expiresInSeconds }: TokenTerms): Promise<void> {
  const { accessToken, refreshToken, idToken } = tokens;
  const sealed = seal(ring, providerTokensContext(owner), JSON.stringify({ accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal(), idToken: idToken?.reveal() }));
  await sql('delete from provider_tokens t where person_id = $1 and not exists (select from browser_sessions s where s.id = t.session_id)', [owner.personId]);
  await sql(
    `insert into provider_tokens (session_id, person_id, provider, issuer, sealed, key_term, scope, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))`,
    [owner.sessionId, owner.personId, owner.provider, owner.issuer, sealed, sealedTerm(sealed), scope ?? null, expiresInSeconds ?? null],
  );
}

export interface SealedTokens {
  readonly sessionId: string;
  readonly personId: string;
  readonly sealed: Buffer;
  readonly expiresAt: Date | null;
}

/** @throws UnsealError */
export function openProviderTokens(ring: KeyRing, row: SealedTokens): ProviderTokens {
  const { accessToken, refreshToken, idToken } = JSON.parse(unseal(ring, providerTokensContext(row), row.sealed).toString('utf8')) as Record<string, string | undefined>;
  const secretOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));
  return { accessToken: new Secret(accessToken ?? ''), refreshToken: secretOf(refreshToken), idToken: secretOf(idToken) };
}

/** Of one login, or of all of them. */
export async function deleteProviderTokens(sql: Sql, personId: string, sessionId?: string): Promise<void> {
  await sql('delete from provider_tokens where person_id = $1 and ($2::uuid is null or session_id = $2)', [personId, sessionId ?? null]);
}
