import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The document of the global header policy: one row, or none. Nothing that an earlier release knows is changed. */
export class HeaderPolicy1763798400000 implements MigrationInterface {
  readonly name = 'HeaderPolicy1763798400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table header_policy (
      id smallint not null constraint header_policy_pkey primary key constraint header_policy_one_row check (id = 1),
      document jsonb not null,
      revision bigint not null,
      updated_at timestamptz not null default now()
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table header_policy');
  }
}
