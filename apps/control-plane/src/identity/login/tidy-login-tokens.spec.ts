import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Database } from '../../database/database.ts';
import { openDataSource } from '../../database/open-data-source.ts';
import { connected, useAgents } from '../../spec-support/use-agents.ts';
import { tidyLoginTokens } from './tidy-login-tokens.ts';

const fixture = useAgents();
let dataSource: ReturnType<typeof openDataSource>;
beforeAll(async () => {
  dataSource = openDataSource({ url: new Secret(fixture.databaseUrl), poolSize: 2 });
  await dataSource.initialize();
});
afterAll(() => dataSource.destroy());

const tokens = () => fixture.query('select 1 from connections where session_id is not null');

test('what a login was given goes when its session is over and no agent is left', async () => {
  const database = new Database(dataSource);
  await connected(fixture);
  expect([await tidyLoginTokens(database), await tokens()]).toMatchObject([0, [{}]]);
  await fixture.query(`update browser_sessions set expires_at = now() - interval '1 second'`);
  expect([await tidyLoginTokens(database), await tokens()]).toMatchObject([0, [{}]]);
  await fixture.query('delete from oauth_grants');
  expect([await tidyLoginTokens(database), await tokens()]).toEqual([1, []]);
  expect(await tidyLoginTokens(database)).toBe(0);
});
