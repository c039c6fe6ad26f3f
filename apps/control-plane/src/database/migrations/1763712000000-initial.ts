import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  `create table workspaces (
    id uuid not null constraint workspaces_pkey primary key,
    name text collate "C" not null constraint workspaces_name unique,
    created_at timestamptz not null default now()
  )`,
  // The document holds no secrets: those are in "secrets", sealed.
  `create table servers (
    id uuid not null constraint servers_pkey primary key,
    workspace_id uuid not null constraint servers_workspace references workspaces (id),
    name text collate "C" not null,
    document jsonb not null,
    revision bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint servers_name unique (workspace_id, name)
  )`,
  `create table service_accounts (
    id uuid not null constraint service_accounts_pkey primary key,
    workspace_id uuid not null constraint service_accounts_workspace references workspaces (id),
    name text collate "C" not null,
    groups jsonb not null,
    key_id text not null constraint service_accounts_key_id unique,
    key_hash text not null,
    revision bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint service_accounts_name unique (workspace_id, name)
  )`,
  `create table secrets (
    workspace_id uuid not null constraint secrets_workspace references workspaces (id),
    owner_table text not null,
    owner_id uuid not null,
    field text collate "C" not null,
    sealed bytea not null,
    key_term integer not null,
    updated_at timestamptz not null default now(),
    constraint secrets_pkey primary key (owner_table, owner_id, field)
  )`,
  `create index secrets_key on secrets (workspace_id, key_term)`,
  // No foreign key: the gateway's own key belongs to no workspace.
  `create table data_keys (
    workspace_id uuid not null,
    term integer not null,
    state text not null constraint data_keys_state check (state in ('staged', 'active', 'decrypt_only', 'destroyed')),
    wrapped bytea not null,
    sealed_count bigint not null default 0,
    created_at timestamptz not null default now(),
    constraint data_keys_pkey primary key (workspace_id, term)
  )`,
  `create unique index data_keys_one_active on data_keys (workspace_id) where state = 'active'`,
  `create table vault_sentinel (
    id smallint not null constraint vault_sentinel_pkey primary key constraint vault_sentinel_one_row check (id = 1),
    sealed bytea not null
  )`,
  `create table revision_counter (
    id smallint not null constraint revision_counter_pkey primary key constraint revision_counter_one_row check (id = 1),
    revision bigint not null
  )`,
  `insert into revision_counter values (1, 0)`,
  `create table revisions (
    revision bigint not null constraint revisions_pkey primary key,
    at timestamptz not null default now(),
    changed jsonb not null
  )`,
  `create table audit_head (
    id smallint not null constraint audit_head_pkey primary key constraint audit_head_one_row check (id = 1),
    sequence bigint not null,
    hash text not null
  )`,
  `insert into audit_head values (1, 0, '')`,
  `create table audit_events (
    sequence bigint not null constraint audit_events_pkey primary key,
    id uuid not null constraint audit_events_id unique,
    at timestamptz not null,
    actor text not null,
    action text not null,
    workspace text,
    target_kind text not null,
    target_id uuid not null,
    target_name text not null,
    fields jsonb not null,
    prev_hash text not null,
    hash text not null
  )`,
  `create index audit_events_workspace on audit_events (workspace, sequence)`,
  `create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name;
    end
  $$`,
  `create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_change()`,
  `create table idempotency_keys (
    actor text not null,
    route text not null,
    key text not null,
    attempt uuid not null,
    sealed_request bytea not null,
    status integer,
    headers jsonb,
    sealed_body bytea,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (actor, route, key)
  )`,
  `create unique index idempotency_keys_attempt on idempotency_keys (attempt)`,
  `create index idempotency_keys_age on idempotency_keys (created_at)`,
];

const tables = [
  'idempotency_keys', 'audit_events', 'audit_head', 'revisions', 'revision_counter', 'vault_sentinel', 'data_keys', 'secrets',
  'service_accounts', 'servers', 'workspaces',
];

/** The registry, the vault, revisions and the audit trail. */
export class Initial1763712000000 implements MigrationInterface {
  readonly name = 'Initial1763712000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables) await runner.query(`drop table ${table}`);
    await runner.query('drop function refuse_change()');
  }
}
