import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropRequireUsableKey, requireUsableKey } from '../require-usable-key.ts';

const statements = [
  // As oauth_signing_keys, and apart from it: what an earlier release reads there signs access tokens.
  `create table identity_signing_keys (
    kid text collate "C" not null constraint identity_signing_keys_pkey primary key,
    public_jwk jsonb not null,
    sealed bytea not null,
    key_term integer not null,
    created_at timestamptz not null default now(),
    signs_from timestamptz not null
  )`,
  ...requireUsableKey('identity_signing_keys', [{ sealed: 'sealed', term: 'key_term' }]),
];

/** Keys that callers' identities are signed with. */
export class IdentitySigningKeys1763922600000 implements MigrationInterface {
  readonly name = 'IdentitySigningKeys1763922600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of dropRequireUsableKey('identity_signing_keys')) await runner.query(statement);
    await runner.query('drop table identity_signing_keys');
  }
}
