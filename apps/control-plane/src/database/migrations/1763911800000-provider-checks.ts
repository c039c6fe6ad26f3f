import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When a person's identity provider was last asked about them besides logins, and who is asking it. A table of its own: an earlier release
 * goes on without it.
 */
export class ProviderChecks1763911800000 implements MigrationInterface {
  readonly name = 'ProviderChecks1763911800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table provider_checks (
        person_id uuid not null constraint provider_checks_pkey primary key constraint provider_checks_person references people (id) on delete cascade,
        checked_at timestamptz,
        asked_by uuid,
        asking_until timestamptz,
        retry_at timestamptz
      )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table provider_checks');
  }
}
