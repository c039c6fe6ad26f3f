import { signingKeyContext } from '../agents-oauth/keep-signing-keys.ts';
import { oauthStateContext } from '../agents-oauth/oauth-state.service.ts';
import { revocationClientContext } from '../connections/disconnect/pending-revocations.store.ts';
import { registrationContext } from '../connections/discovery/client-registrations.store.ts';
import { tokensContext } from '../connections/token-seals.ts';
import { userCredentialContext } from '../credentials/user-credentials.store.ts';
import { idempotencyContext } from '../idempotency/idempotency.service.ts';
import { type SealedColumn, sealedColumn } from './sealed-column.ts';
import { secretContext } from './secrets.store.ts';
import { gatewayItself } from './vault.ts';

/**
 * Everything that data keys seal, one entry per column: what rotation seals anew, and counts. A table of sealed values that has none
 * fails a spec; its migration guards it with `requireUsableKey`.
 */
export const sealedColumns: readonly SealedColumn[] = [
  sealedColumn<{ workspace_id: string; owner_table: string; owner_id: string; field: string }>({
    table: 'secrets', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'owner_table', 'owner_id', 'field'],
    context: (row) => secretContext({ workspaceId: row.workspace_id, table: row.owner_table, id: row.owner_id }, row.field),
  }),
  sealedColumn<{ model: string; id_hash: Buffer }>({
    table: 'oauth_state', sealed: 'sealed', term: 'key_term', reads: ['model', 'id_hash'],
    context: (row) => oauthStateContext({ model: row.model, idHash: row.id_hash }),
  }),
  sealedColumn<{ kid: string }>({
    table: 'oauth_signing_keys', sealed: 'sealed', term: 'key_term', reads: ['kid'],
    context: (row) => signingKeyContext('oauth_signing_keys', row.kid),
  }),
  sealedColumn<{ kid: string }>({
    table: 'identity_signing_keys', sealed: 'sealed', term: 'key_term', reads: ['kid'],
    context: (row) => signingKeyContext('identity_signing_keys', row.kid),
  }),
  sealedColumn<{ session_id: string; person_id: string }>({
    table: 'provider_tokens', sealed: 'sealed', term: 'key_term', reads: ['session_id', 'person_id'],
    // Written by the release before this one only.
    context: (row) => [gatewayItself, 'provider_tokens', row.session_id, row.person_id, 'tokens'],
  }),
  sealedColumn<{ workspace_id: string; id: string; owner_id: string; person_id: string | null }>({
    table: 'connections', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'id', 'owner_id', 'person_id'],
    context: (row) => tokensContext({ workspaceId: row.workspace_id, id: row.id, ownerId: row.owner_id, personId: row.person_id }),
  }),
  // As they were sealed in their connection.
  sealedColumn<{ workspace_id: string; connection_id: string; owner_id: string; person_id: string | null }>({
    table: 'pending_revocations', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'connection_id', 'owner_id', 'person_id'],
    context: (row) => tokensContext({ workspaceId: row.workspace_id, id: row.connection_id, ownerId: row.owner_id, personId: row.person_id }),
  }),
  sealedColumn<{ workspace_id: string; id: string }>({
    table: 'client_registrations', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'id'],
    context: (row) => registrationContext({ workspaceId: row.workspace_id, id: row.id }),
  }),
  // As they were sealed in their registration.
  sealedColumn<{ workspace_id: string; registration_id: string }>({
    table: 'former_clients', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'registration_id'],
    context: (row) => registrationContext({ workspaceId: row.workspace_id, id: row.registration_id }),
  }),
  sealedColumn<{ workspace_id: string; id: string }>({
    table: 'revocation_clients', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'id'],
    context: (row) => revocationClientContext({ workspaceId: row.workspace_id, id: row.id }),
  }),
  sealedColumn<{ workspace_id: string; id: string; credential_id: string; person_id: string }>({
    table: 'user_credentials', sealed: 'sealed', term: 'key_term', workspace: 'workspace_id', reads: ['workspace_id', 'id', 'credential_id', 'person_id'],
    context: (row) => userCredentialContext({ workspaceId: row.workspace_id, id: row.id, credentialId: row.credential_id, personId: row.person_id }),
  }),
  sealedColumn<{ attempt: string }>({
    table: 'idempotency_keys', sealed: 'sealed_request', term: 'request_key_term', isTermGenerated: true, reads: ['attempt'],
    context: (row) => idempotencyContext(row.attempt, 'request'),
  }),
  sealedColumn<{ attempt: string }>({
    table: 'idempotency_keys', sealed: 'sealed_body', term: 'body_key_term', isTermGenerated: true, reads: ['attempt'],
    context: (row) => idempotencyContext(row.attempt, 'body'),
  }),
];
