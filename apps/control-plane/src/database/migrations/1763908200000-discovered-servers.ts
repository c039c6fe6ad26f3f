import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropRequireUsableKey, requireUsableKey } from '../require-usable-key.ts';

const statements = [
  // Us as the client of authorization servers that upstreams named, one for each workspace and issuer (MCP: credentials are bound to
  // their issuer). Its id is part of our redirect URI there, so that it stays when the client is registered again.
  `create table client_registrations (
    id uuid not null constraint client_registrations_pkey primary key,
    workspace_id uuid not null constraint client_registrations_workspace references workspaces (id) on delete cascade,
    issuer text not null,
    server jsonb not null,
    is_near boolean not null,
    kind text constraint client_registrations_kind check (kind in ('metadata-document', 'registration')),
    client_id text,
    redirect_uri text,
    client_auth text constraint client_registrations_client_auth check (client_auth in ('basic', 'post', 'none')),
    sealed bytea,
    key_term integer,
    secret_expires_at timestamptz,
    checked_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint client_registrations_issuer unique (workspace_id, issuer)
  )`,
  // What the connections of a server are of.
  `create table discovered_servers (
    server_id uuid not null constraint discovered_servers_pkey primary key constraint discovered_servers_server references servers (id) on delete cascade,
    registration_id uuid not null constraint discovered_servers_registration references client_registrations (id) on delete cascade,
    resource text,
    updated_at timestamptz not null default now()
  )`,
  'create index discovered_servers_registration_id on discovered_servers (registration_id)',
  ...requireUsableKey('client_registrations', [{ sealed: 'sealed', term: 'key_term' }], 'workspace_id'),
];

export class DiscoveredServers1763908200000 implements MigrationInterface {
  readonly name = 'DiscoveredServers1763908200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of dropRequireUsableKey('client_registrations')) await runner.query(statement);
    await runner.query('drop table discovered_servers');
    await runner.query('drop table client_registrations');
  }
}
