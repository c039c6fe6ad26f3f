import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropRequireUsableKey, requireUsableKey } from '../require-usable-key.ts';

const statements = [
  // The document holds no value: that of a workspace is in "secrets", sealed, and people's are in the table below.
  `create table credentials (
    id uuid not null constraint credentials_pkey primary key,
    workspace_id uuid not null constraint credentials_workspace references workspaces (id),
    name text collate "C" not null,
    document jsonb not null,
    revision bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint credentials_name unique (workspace_id, name)
  )`,
  // Each value has an id of its own, and another one when it is changed: by it data planes forget the one before.
  `create table user_credentials (
    id uuid not null constraint user_credentials_pkey primary key,
    workspace_id uuid not null,
    credential_id uuid not null constraint user_credentials_credential references credentials (id) on delete cascade,
    person_id uuid not null constraint user_credentials_person references people (id) on delete cascade,
    sealed bytea not null,
    key_term integer not null,
    updated_at timestamptz not null default now(),
    constraint user_credentials_holder unique (credential_id, person_id)
  )`,
  'create index user_credentials_person_id on user_credentials (person_id)',
  ...requireUsableKey('user_credentials', [{ sealed: 'sealed', term: 'key_term' }], 'workspace_id'),
];

/** Credentials of workspaces and of people. An earlier release goes on without them. */
export class Credentials1763915400000 implements MigrationInterface {
  readonly name = 'Credentials1763915400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of dropRequireUsableKey('user_credentials')) await runner.query(statement);
    await runner.query('drop table user_credentials');
    await runner.query('drop table credentials');
    await runner.query(`delete from secrets where owner_table = 'credentials'`);
  }
}
