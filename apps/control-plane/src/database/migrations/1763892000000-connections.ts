import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Tokens of one person, or of the organisation (no person), at one owner: an app, a server that was discovered, or the identity
  // provider of a login session. No references to owners: their kinds have tables of their own, and who deletes one ends its
  // connections.
  `create table connections (
    id uuid not null constraint connections_pkey primary key,
    workspace_id uuid not null,
    owner_kind text not null constraint connections_owner_kind check (owner_kind in ('app', 'server', 'identity-provider')),
    owner_id uuid not null,
    person_id uuid constraint connections_person references people (id) on delete cascade,
    session_id uuid,
    sealed bytea not null,
    key_term integer not null,
    token_version integer not null default 1,
    refreshable boolean not null,
    rotates boolean,
    scopes jsonb not null default '[]',
    expires_at timestamptz,
    state text not null default 'active' constraint connections_state check (state in ('active', 'reconnect_required')),
    account text,
    failure text,
    failures integer not null default 0,
    lease_owner uuid,
    lease_until timestamptz,
    in_doubt_since timestamptz,
    next_refresh_at timestamptz,
    retry_at timestamptz,
    refreshed_at timestamptz not null default now(),
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  'create unique index connections_person_owner on connections (owner_id, person_id) where session_id is null and person_id is not null',
  'create unique index connections_shared_owner on connections (owner_id) where session_id is null and person_id is null',
  'create unique index connections_session on connections (session_id) where session_id is not null',
  'create index connections_person_id on connections (person_id)',
  'create index connections_workspace on connections (workspace_id, id)',
  `create index connections_next_refresh_at on connections (next_refresh_at) where next_refresh_at is not null`,
  // What a browser was sent to a provider for.
  `create table connect_states (
    state_hash bytea not null constraint connect_states_pkey primary key,
    browser_hash bytea not null,
    link_id uuid not null,
    workspace_id uuid not null,
    owner_kind text not null,
    owner_id uuid not null,
    person_id uuid not null,
    details jsonb not null,
    created_at timestamptz not null default now()
  )`,
  'create index connect_states_age on connect_states (created_at)',
  `create table used_connect_links (
    id uuid not null constraint used_connect_links_pkey primary key,
    expires_at timestamptz not null
  )`,
  'create index used_connect_links_age on used_connect_links (expires_at)',
  // Connections, owners and people whose tokens data planes may still hold.
  `create table token_revocations (
    subject uuid not null constraint token_revocations_pkey primary key,
    until timestamptz not null
  )`,
  // Tokens to be revoked at their provider (RFC 7009), sealed as they were in their connection, and us as its client, once for all
  // that end together: the app may be gone by then.
  `create table revocation_clients (
    id uuid not null constraint revocation_clients_pkey primary key,
    workspace_id uuid not null,
    sealed bytea not null,
    key_term integer not null,
    created_at timestamptz not null default now()
  )`,
  `create table pending_revocations (
    id uuid not null constraint pending_revocations_pkey primary key,
    client_id uuid not null constraint pending_revocations_client references revocation_clients (id),
    connection_id uuid not null,
    workspace_id uuid not null,
    owner_id uuid not null,
    person_id uuid,
    sealed bytea not null,
    key_term integer not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    created_at timestamptz not null default now()
  )`,
  'create index pending_revocations_client_id on pending_revocations (client_id)',
  'create index pending_revocations_next_attempt_at on pending_revocations (next_attempt_at)',
  // Callers with a token of their issuer are asked for by what it says.
  'create index people_issuer_subject on people (issuer, subject)',
];

const tables = ['pending_revocations', 'revocation_clients', 'token_revocations', 'used_connect_links', 'connect_states', 'connections'];

/** Connections and what ends them. `provider_tokens` stays for the release before this one, and is written no more. */
export class Connections1763892000000 implements MigrationInterface {
  readonly name = 'Connections1763892000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index people_issuer_subject');
    for (const table of tables) await runner.query(`drop table ${table}`);
  }
}
