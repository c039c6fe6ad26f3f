import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // The tools of API servers as they were imported, and what they were imported from where the document itself had it. Text and not
  // jsonb: it is read as a whole, and what others wrote may have characters that jsonb does not take.
  `create table server_tools (
    server_id uuid not null constraint server_tools_pkey primary key constraint server_tools_server references servers (id) on delete cascade,
    import_key text not null,
    title text not null,
    version text not null,
    source text,
    source_digest text not null,
    operations text not null,
    left_out text not null,
    warnings text not null,
    tool_count integer not null,
    left_out_count integer not null,
    orphaned_edits integer not null,
    imported_at timestamptz not null default now()
  )`,
];

export class ServerTools1763926200000 implements MigrationInterface {
  readonly name = 'ServerTools1763926200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table server_tools');
  }
}
