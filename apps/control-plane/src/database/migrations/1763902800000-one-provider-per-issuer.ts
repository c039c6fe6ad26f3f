import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An issuer has one document. An earlier release goes on with it. */
export class OneProviderPerIssuer1763902800000 implements MigrationInterface {
  readonly name = 'OneProviderPerIssuer1763902800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create unique index identity_providers_issuer on identity_providers ((document->>'issuer'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index identity_providers_issuer');
  }
}
