import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Apps: OAuth clients that an admin registered at a provider. An earlier release goes on without them. */
export class Apps1763890200000 implements MigrationInterface {
  readonly name = 'Apps1763890200000';

  async up(runner: QueryRunner): Promise<void> {
    // The document holds no secrets: those are in "secrets", sealed.
    await runner.query(`create table apps (
      id uuid not null constraint apps_pkey primary key,
      workspace_id uuid not null constraint apps_workspace references workspaces (id),
      name text collate "C" not null,
      document jsonb not null,
      revision bigint not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint apps_name unique (workspace_id, name)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table apps');
    await runner.query(`delete from secrets where owner_table = 'apps'`);
  }
}
