import { afterAll, beforeAll } from 'vitest';
import { runSql, startTestPostgres, type TestPostgres } from '../../../../test/support/postgres.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment } from './start-test-control-plane.ts';

export interface ControlPlaneFixture {
  readonly plane: TestControlPlane;
  readonly databaseUrl: string;
  readonly postgres: TestPostgres;
  query<Row = Record<string, unknown>>(text: string, parameters?: unknown[]): Promise<Row[]>;
}

/** A control plane with a database of its own for the specs of one file. */
export function useControlPlane(environment: Readonly<Record<string, string>> = {}): ControlPlaneFixture {
  let postgres: TestPostgres | undefined;
  let plane: TestControlPlane | undefined;
  let databaseUrl = '';
  beforeAll(async () => {
    postgres = await startTestPostgres();
    databaseUrl = await postgres.createDatabase();
    plane = await startTestControlPlane({ environment: { ...testEnvironment(databaseUrl), ...environment } });
  });
  afterAll(async () => {
    await plane?.close();
    await postgres?.close();
  });
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('not started yet');
    return value;
  };
  return {
    get plane() {
      return started(plane);
    },
    get postgres() {
      return started(postgres);
    },
    get databaseUrl() {
      return databaseUrl;
    },
    query: (text, parameters) => runSql(databaseUrl, text, parameters),
  };
}
