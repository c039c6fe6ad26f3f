import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // A partition per day, made when its first events come or shortly before: a day is forgotten by dropping a table. Names and not
  // references: what was called stays called so, whatever becomes of the server. The key is in the order of the list, the newest first.
  `create table call_events (
    id uuid not null,
    at timestamptz(3) not null,
    data_plane text not null,
    workspace text collate "C" not null,
    server text collate "C" not null,
    server_id text not null,
    member text,
    caller text collate "C",
    caller_kind text,
    endpoint text,
    http text,
    era text,
    method text,
    tool text collate "C",
    outcome text collate "C" not null,
    credentials text[],
    headers jsonb,
    upstream_status integer,
    upstream_ms real,
    duration_ms real not null,
    constraint call_events_pkey primary key (at, id)
  ) partition by range (at)`,
  'create index call_events_by_server on call_events (workspace, server, at, id)',
  'create index call_events_by_caller on call_events (caller, at, id)',
  'create index call_events_by_tool on call_events (tool, at, id) where tool is not null',
  // Nearly all are ok, and whoever looks for those needs no index.
  `create index call_events_by_failure on call_events (outcome, at, id) where outcome <> 'ok'`,
];

export class CallEvents1763929800000 implements MigrationInterface {
  readonly name = 'CallEvents1763929800000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table call_events');
  }
}
