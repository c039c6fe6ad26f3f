import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropRequireUsableKey, requireUsableKey } from '../require-usable-key.ts';

const statements = [
  // Clients that we were at an authorization server before we registered there again: refresh tokens are bound to whom they were given
  // to (RFC 6749 section 6). Sealed as in their registration.
  `create table former_clients (
    id uuid not null constraint former_clients_pkey primary key,
    workspace_id uuid not null constraint former_clients_workspace references workspaces (id) on delete cascade,
    registration_id uuid not null constraint former_clients_registration references client_registrations (id) on delete cascade,
    client_id text not null,
    client_auth text not null constraint former_clients_client_auth check (client_auth in ('basic', 'post', 'none')),
    sealed bytea,
    key_term integer,
    created_at timestamptz not null default now(),
    constraint former_clients_client unique (registration_id, client_id)
  )`,
  ...requireUsableKey('former_clients', [{ sealed: 'sealed', term: 'key_term' }], 'workspace_id'),
  // Of a server that was discovered, which client its tokens were given to; null, as an earlier release leaves it: the one there is.
  'alter table connections add column client_id text',
];

export class FormerClients1763919000000 implements MigrationInterface {
  readonly name = 'FormerClients1763919000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table connections drop column client_id');
    for (const statement of dropRequireUsableKey('former_clients')) await runner.query(statement);
    await runner.query('drop table former_clients');
  }
}
