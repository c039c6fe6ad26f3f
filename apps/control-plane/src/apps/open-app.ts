import { GatewayError } from '@gatehouse/errors';
import { type AppDocument, completeApp } from '@gatehouse/gateway-config';
import { UnsealError } from '@gatehouse/sealing';
import type { Sql } from '../database/sql.ts';
import { withValues } from '../servers/plan-secrets.ts';
import { openSecret, readSealedSecrets, type SecretOwner } from '../vault/secrets.store.ts';
import type { Vault } from '../vault/vault.ts';
import type { AppRow } from './apps.store.ts';

/** Where an app's client secret is kept. */
export const secretOwnerOf = ({ workspaceId, id }: Pick<AppRow, 'workspaceId' | 'id'>): SecretOwner => ({ workspaceId, table: 'apps', id });

/** An app with its secret. @throws GatewayError vault_sealed_value_unreadable */
export async function openApp(sql: Sql, vault: Vault, row: AppRow): Promise<AppDocument> {
  const sealed = await readSealedSecrets(sql, 'apps', [row.id]);
  if (sealed.length === 0) return completeApp.parse(row.document);
  try {
    const ring = await vault.openingRing(sql, row.workspaceId);
    return completeApp.parse(withValues(row.document, sealed.map((secret) => [secret.field, openSecret(ring, secretOwnerOf(row), secret)] as const)));
  } catch (cause) {
    if (!(cause instanceof UnsealError)) throw cause;
    throw new GatewayError('vault_sealed_value_unreadable', { detail: `the secret of app ${row.id}`, cause });
  }
}
