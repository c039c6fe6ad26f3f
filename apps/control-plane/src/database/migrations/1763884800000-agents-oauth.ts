import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // What oidc-provider keeps: clients, codes, refresh tokens, grants, interactions. Ids of most of it are bearer values, so only their
  // hashes are here; what is behind them is sealed.
  `create table oauth_state (
    model text collate "C" not null,
    id_hash bytea not null,
    grant_id uuid,
    client_id text collate "C",
    sealed bytea not null,
    key_term integer not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    consumed_at timestamptz,
    constraint oauth_state_pkey primary key (model, id_hash)
  )`,
  'create index oauth_state_grant_id on oauth_state (grant_id) where grant_id is not null',
  'create index oauth_state_age on oauth_state (expires_at)',
  // What a person sees of a grant. The session is the one it was given in, which may be over by now; none where an identity
  // provider gave it by itself.
  `create table oauth_grants (
    id uuid not null constraint oauth_grants_pkey primary key,
    person_id uuid not null,
    session_id uuid,
    client_id text collate "C" not null,
    client_name text not null,
    redirect_host text collate "C" not null,
    resource text collate "C" not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now()
  )`,
  'create index oauth_grants_person_id on oauth_grants (person_id)',
  // The newest one whose time has come signs. Older ones verify what they signed; a newer one is known before it signs.
  `create table oauth_signing_keys (
    kid text collate "C" not null constraint oauth_signing_keys_pkey primary key,
    public_jwk jsonb not null,
    sealed bytea not null,
    key_term integer not null,
    created_at timestamptz not null default now(),
    signs_from timestamptz not null
  )`,
  `create table oauth_consents (
    person_id uuid not null,
    client_id text collate "C" not null,
    redirect_host text collate "C" not null,
    resource text collate "C" not null,
    scopes jsonb not null,
    given_at timestamptz not null default now(),
    constraint oauth_consents_pkey primary key (person_id, client_id, redirect_host, resource)
  )`,
  // Of grants whose access tokens may not have expired yet.
  `create table oauth_revocations (
    grant_id uuid not null constraint oauth_revocations_pkey primary key,
    until timestamptz not null
  )`,
];

const tables = ['oauth_revocations', 'oauth_consents', 'oauth_signing_keys', 'oauth_grants', 'oauth_state'];

/** The agents' authorization server. */
export class AgentsOAuth1763884800000 implements MigrationInterface {
  readonly name = 'AgentsOAuth1763884800000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables) await runner.query(`drop table ${table}`);
  }
}
