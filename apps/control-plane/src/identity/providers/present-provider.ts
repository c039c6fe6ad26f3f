import { type ReadableIdentityProvider, readableIdentityProvider, type Warning } from '@gatehouse/gateway-config';
import { withValues } from '../../servers/plan-secrets.ts';
import type { StoredSecret } from '../../vault/secrets.store.ts';
import type { IdentityProviderRow } from './identity-providers.store.ts';

/** What has to be registered at the provider. */
export const redirectUriOf = (controlPlaneUrl: string, name: string): string => `${controlPlaneUrl}/login/callback/${name}`;

/** A provider as it is read: of its secret only that it is set, and since when. */
export function presentProvider(row: IdentityProviderRow, secrets: readonly StoredSecret[], controlPlaneUrl: string, warnings: readonly Warning[] = []): ReadableIdentityProvider {
  const marks = secrets.map(({ field, updatedAt }) => [field, { set: true, updatedAt: updatedAt.toISOString() }] as const);
  return readableIdentityProvider.parse({
    kind: 'IdentityProvider',
    id: row.id,
    enabled: true,
    ...withValues(row.document, marks),
    redirectUri: redirectUriOf(controlPlaneUrl, row.name),
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    warnings: [...warnings],
  });
}
