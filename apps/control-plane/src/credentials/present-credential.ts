import { type ReadableCredential, readableCredential, type Warning } from '@gatehouse/gateway-config';
import { withValues } from '../servers/plan-secrets.ts';
import type { SecretOwner, StoredSecret } from '../vault/secrets.store.ts';
import type { CredentialRow } from './credentials.store.ts';

/** Where a workspace's value is kept. */
export const secretOwnerOf = ({ workspaceId, id }: Pick<CredentialRow, 'workspaceId' | 'id'>): SecretOwner => ({ workspaceId, table: 'credentials', id });

/** A credential as it is read: of its value only that it is set, and since when. */
export function presentCredential(row: CredentialRow, secrets: readonly StoredSecret[], warnings: readonly Warning[] = []): ReadableCredential {
  const marks = secrets.map(({ field, updatedAt }) => [field, { set: true, updatedAt: updatedAt.toISOString() }] as const);
  return readableCredential.parse({
    kind: 'Credential',
    id: row.id,
    workspace: row.workspace,
    ...withValues(row.document, marks),
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    warnings: [...standingWarnings(row, secrets), ...warnings],
  });
}

function standingWarnings({ document }: CredentialRow, secrets: readonly StoredSecret[]): Warning[] {
  if (document.scope === 'user' || secrets.length > 0) return [];
  return [{ code: 'value_missing', pointer: '/value', detail: 'Calls of servers that require it fail until it has a value.' }];
}
