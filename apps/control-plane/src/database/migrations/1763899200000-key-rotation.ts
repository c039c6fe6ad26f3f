import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropRequireUsableKey, requireUsableKey } from '../require-usable-key.ts';

/** Of a sealed value: format, then the term (libs/sealing). */
const termOf = (column: string): string =>
  `case when length(${column}) > 4 then (get_byte(${column}, 1) << 24) | (get_byte(${column}, 2) << 16) | (get_byte(${column}, 3) << 8) | get_byte(${column}, 4) end`;

const sealed = [{ sealed: 'sealed', term: 'key_term' }];

const statements = [
  // Which root key wrapped it, since when it seals, since when nothing is sealed under it any more, and how much of what is cannot be opened.
  `alter table data_keys add column root text, add column activated_at timestamptz, add column emptied_at timestamptz,
     add column destroyed_at timestamptz, add column unreadable integer not null default 0`,
  `update data_keys set activated_at = created_at where state = 'active'`,
  // Rotations that were asked for and have not begun.
  `create table key_rotations (
    workspace_id uuid not null constraint key_rotations_pkey primary key,
    requested_at timestamptz not null default clock_timestamp()
  )`,
  // Control planes, and which staged keys each has unwrapped.
  `create table vault_replicas (
    id uuid not null constraint vault_replicas_pkey primary key,
    seen_at timestamptz not null default now(),
    roots jsonb not null
  )`,
  `create table vault_loaded_keys (
    replica_id uuid not null constraint vault_loaded_keys_replica references vault_replicas (id) on delete cascade,
    workspace_id uuid not null,
    term integer not null,
    constraint vault_loaded_keys_pkey primary key (replica_id, workspace_id, term)
  )`,
  // Generated: the release before this one does not write them.
  `alter table idempotency_keys
     add column request_key_term integer generated always as (${termOf('sealed_request')}) stored,
     add column body_key_term integer generated always as (${termOf('sealed_body')}) stored`,
  ...requireUsableKey('secrets', sealed, 'workspace_id'),
  ...requireUsableKey('oauth_state', sealed),
  ...requireUsableKey('oauth_signing_keys', sealed),
  ...requireUsableKey('provider_tokens', sealed),
  ...requireUsableKey('idempotency_keys', [{ sealed: 'sealed_request', term: 'request_key_term' }, { sealed: 'sealed_body', term: 'body_key_term' }]),
  ...requireUsableKey('connections', sealed, 'workspace_id'),
  ...requireUsableKey('pending_revocations', sealed, 'workspace_id'),
  ...requireUsableKey('revocation_clients', sealed, 'workspace_id'),
];

const guarded = ['revocation_clients', 'pending_revocations', 'connections', 'idempotency_keys', 'provider_tokens', 'oauth_signing_keys', 'oauth_state', 'secrets'];

/** Rotation of data keys and of the root key. An earlier release goes on: it knows the states, and what is new it leaves empty. */
export class KeyRotation1763899200000 implements MigrationInterface {
  readonly name = 'KeyRotation1763899200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of guarded) for (const statement of dropRequireUsableKey(table)) await runner.query(statement);
    await runner.query('alter table idempotency_keys drop column request_key_term, drop column body_key_term');
    for (const table of ['vault_loaded_keys', 'vault_replicas', 'key_rotations']) await runner.query(`drop table ${table}`);
    await runner.query('alter table data_keys drop column root, drop column activated_at, drop column emptied_at, drop column destroyed_at, drop column unreadable');
  }
}
