import { expect, test } from 'vitest';
import { authorizationRequest, connected, useAgents } from '../../spec-support/use-agents.ts';
import { logIn, publicOrigin } from '../../spec-support/use-login.ts';

const fixture = useAgents();
const pageUrl = `${publicOrigin}/me/agents`;
const refresh = async (clientId: string, token: string) => (await fixture.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId })).status;
const consents = async (clientId: string) => (await fixture.query('select from oauth_consents where client_id = $1', [clientId])).length;

test('people see their own agents and end one; it is logged out, and asks again', async () => {
  const browser = fixture.browser();
  const [cursor, claude] = [await fixture.register({ client_name: '<i>Cursor</i>' }), await fixture.register({ client_name: 'Claude' })];
  const { tokens } = await connected(fixture, { agent: cursor, browser });
  const { tokens: others } = await connected(fixture, { agent: claude, login: 'ben' });
  const page = await browser.open(pageUrl);
  expect(page.text).toContain('&lt;i&gt;Cursor&lt;/i&gt;');
  expect(page.text).not.toContain('Claude');
  const grant = /name="grant" value="([0-9a-f-]{36})"/.exec(page.text)?.[1] ?? '';
  const after = await browser.submit(page, { grant });
  expect([after.url.pathname, after.text]).toEqual(['/me/agents', expect.stringContaining('There are none.')]);
  expect([await refresh(cursor.clientId, tokens.refresh_token), await refresh(claude.clientId, others.refresh_token)]).toEqual([400, 200]);
  expect((await browser.open(authorizationRequest(cursor).url)).text).toContain('name="decision"');
});

test('all of them at once, and nobody else’s', async () => {
  const browser = fixture.browser();
  const [first, second, bens] = [await connected(fixture, { browser }), await connected(fixture, { browser }), await connected(fixture, { login: 'ben' })];
  await browser.submit(await browser.open(pageUrl), { grant: 'all' });
  const statuses = await Promise.all([first, second, bens].map(({ agent, tokens }) => refresh(agent.clientId, tokens.refresh_token)));
  expect(statuses).toEqual([400, 400, 200]);
});

test('somebody else’s grant is not there', async () => {
  const { agent, tokens } = await connected(fixture, { login: 'ben' });
  const browser = fixture.browser();
  await connected(fixture, { browser });
  const [row] = await fixture.query<{ id: string }>('select id from oauth_grants where client_id = $1', [agent.clientId]);
  await browser.submit(await browser.open(pageUrl), { grant: row?.id ?? '' });
  expect(await refresh(agent.clientId, tokens.refresh_token)).toBe(200);
});

test('who is not logged in logs in first', async () => {
  expect((await fixture.browser().open(pageUrl)).url.origin).toBe(fixture.provider.issuer);
});

test.each<[string, Record<string, string>, Record<string, string>]>([
  ['without its token', { form_token: '' }, {}],
  ['from another site', {}, { 'Sec-Fetch-Site': 'cross-site' }],
])('a form %s does nothing', async (_name, fields, headers) => {
  const browser = fixture.browser();
  const { agent, tokens } = await connected(fixture, { browser });
  const page = await browser.open(pageUrl);
  const reply = await browser.send('POST', page.url, new URLSearchParams({ ...page.forms[0]?.fields, grant: 'all', ...fields }), headers);
  expect([reply.status, reply.text]).toEqual([403, expect.stringContaining('cross_site_request')]);
  expect(await refresh(agent.clientId, tokens.refresh_token)).toBe(200);
});

test('a form of somebody who has logged out since does nothing', async () => {
  const browser = fixture.browser();
  const { agent, tokens } = await connected(fixture, { browser });
  const page = await browser.open(pageUrl);
  await fixture.query('delete from browser_sessions');
  expect((await browser.send('POST', page.url, new URLSearchParams({ ...page.forms[0]?.fields, grant: 'all' }))).status).toBe(403);
  expect(await refresh(agent.clientId, tokens.refresh_token)).toBe(200);
  await logIn(browser, 'ana');
});

test('what was agreed to ends with the last grant that came of it, also where the client gives it back', async () => {
  const browser = fixture.browser();
  const { agent, tokens } = await connected(fixture, { browser });
  const { tokens: again } = await connected(fixture, { browser, agent });
  await fixture.post('/oauth/revoke', { token: tokens.refresh_token, client_id: agent.clientId });
  expect(await consents(agent.clientId)).toBe(1);
  await fixture.post('/oauth/revoke', { token: again.refresh_token, client_id: agent.clientId });
  expect(await consents(agent.clientId)).toBe(0);
  expect((await browser.open(authorizationRequest(agent).url)).text).toContain('name="decision"');
});
