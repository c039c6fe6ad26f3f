import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  `create table identity_providers (
    id uuid not null constraint identity_providers_pkey primary key,
    name text collate "C" not null constraint identity_providers_name unique,
    document jsonb not null,
    revision bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  // A provider's client secret belongs to no workspace, as its key does (see data_keys).
  'alter table secrets drop constraint secrets_workspace',
  // Issuer and subject are who someone is. The provider is a name and no reference: whoever is made again under it with the
  // same issuer has the same people, and one that is gone leaves a record of who they were.
  `create table people (
    id uuid not null constraint people_pkey primary key,
    provider text collate "C" not null,
    issuer text collate "C" not null,
    subject text collate "C" not null,
    email text,
    name text not null,
    groups jsonb not null default '[]',
    role_values jsonb not null default '[]',
    assigned_roles jsonb not null default '[]',
    disabled boolean not null default false,
    password_hash text,
    revision bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_login_at timestamptz,
    constraint people_subject unique (provider, issuer, subject)
  )`,
  `create unique index people_local_email on people (email) where provider = 'local'`,
  `create table browser_sessions (
    id uuid not null constraint browser_sessions_pkey primary key,
    person_id uuid not null constraint browser_sessions_person references people (id) on delete cascade,
    token_hash bytea not null constraint browser_sessions_token unique,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null
  )`,
  'create index browser_sessions_person_id on browser_sessions (person_id)',
  // What the provider gave at a login. No reference to the session: agents go on after the browser's session has expired.
  `create table provider_tokens (
    session_id uuid not null constraint provider_tokens_pkey primary key,
    person_id uuid not null constraint provider_tokens_person references people (id) on delete cascade,
    provider text collate "C" not null,
    issuer text collate "C" not null,
    sealed bytea not null,
    key_term integer not null,
    scope text,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  'create index provider_tokens_person_id on provider_tokens (person_id)',
  `create table login_states (
    state_hash bytea not null constraint login_states_pkey primary key,
    browser_hash bytea not null,
    provider_id uuid not null constraint login_states_provider references identity_providers (id) on delete cascade,
    return_to text not null,
    is_fresh boolean not null,
    created_at timestamptz not null default now()
  )`,
  'create index login_states_age on login_states (created_at)',
  // person_id null: whoever opens it becomes the first administrator.
  `create table login_links (
    token_hash bytea not null constraint login_links_pkey primary key,
    person_id uuid constraint login_links_person references people (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
  )`,
  `create table api_tokens (
    id uuid not null constraint api_tokens_pkey primary key,
    name text collate "C" not null constraint api_tokens_name unique,
    role text not null constraint api_tokens_role check (role in ('admin', 'editor', 'auditor')),
    token_hash bytea not null constraint api_tokens_hash unique,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz
  )`,
  'alter table audit_events add column actor_name text',
];

const tables = ['api_tokens', 'login_links', 'login_states', 'provider_tokens', 'browser_sessions', 'people', 'identity_providers'];

/** Identity providers, people, how they are logged in, and tokens for programs. An earlier release goes on with what it knows. */
export class People1763888400000 implements MigrationInterface {
  readonly name = 'People1763888400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table audit_events drop column actor_name');
    for (const table of tables) await runner.query(`drop table ${table}`);
    await runner.query(`delete from secrets where owner_table = 'identity_providers'`);
    await runner.query('alter table secrets add constraint secrets_workspace foreign key (workspace_id) references workspaces (id)');
  }
}
