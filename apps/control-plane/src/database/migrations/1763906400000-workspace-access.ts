import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who belongs to a workspace. An earlier release goes on without it: until it is gone, everyone belongs to each. */
export class WorkspaceAccess1763906400000 implements MigrationInterface {
  readonly name = 'WorkspaceAccess1763906400000';

  async up(runner: QueryRunner): Promise<void> {
    // Null: everyone who can log in.
    await runner.query(`alter table workspaces add column access jsonb, add column revision bigint not null default 1, add column updated_at timestamptz not null default now()`);
    // Data planes have not been told of those there are.
    await runner.query(`with next as (update revision_counter set revision = revision + 1 where id = 1 and exists (select from workspaces) returning revision)
      insert into revisions (revision, changed) select revision, (select jsonb_agg(id) from workspaces) from next`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table workspaces drop column access, drop column revision, drop column updated_at');
  }
}
