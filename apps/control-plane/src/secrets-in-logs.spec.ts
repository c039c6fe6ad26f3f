import { Writable } from 'node:stream';
import { createLogger } from '@gatehouse/service-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../test/support/postgres.ts';
import { sampleServer } from './spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, testAdminToken, testEnvironment } from './spec-support/start-test-control-plane.ts';

const mark = 'canary-5d1f';
const chunks: string[] = [];
const destination = new Writable({
  write: (chunk: Buffer, _encoding, done) => {
    chunks.push(chunk.toString());
    done();
  },
});

let postgres: TestPostgres;
let plane: TestControlPlane;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const environment = testEnvironment(await postgres.createDatabase());
  plane = await startTestControlPlane({ environment, logger: createLogger({ level: 'trace', role: 'control-plane', destination }) });
});
afterAll(async () => {
  await plane?.close();
  await postgres?.close();
});

test('nothing secret that is sent to the control plane comes back, is logged, counted or stored in the clear', async () => {
  const servers = '/v1/workspaces/default/servers';
  const secret = { type: 'bearer', token: `${mark}-token` };
  const bodies: unknown[] = [
    sampleServer('marked', { appAuth: secret }), sampleServer('marked', { appAuth: secret }), sampleServer('Not Valid', { appAuth: secret }),
    sampleServer('typo', { appAuth: { ...secret, tokn: mark } }), sampleServer('wrong', { appAuth: { type: 'bearer', token: [mark] } }),
    `{"appAuth": {"token": "${mark}"`, sampleServer('broken', { appAuth: { type: 'bearer', token: `${mark}\r\n` } }),
  ];
  const replies = [];
  for (const body of bodies) replies.push(await plane.send('POST', servers, { body, headers: { 'Idempotency-Key': `key-${replies.length}`, 'X-Api-Key': mark, Cookie: mark } }));
  replies.push(await plane.send('GET', `${servers}/marked?key=${mark}`), await plane.send('GET', servers, { authorization: `Bearer ${mark}` }));
  expect(replies.map(({ status }) => status)).toEqual([201, 409, 422, 422, 422, 400, 422, 200, 401]);
  for (const { text } of replies) expect(text.replaceAll('tokn', '')).not.toContain(mark);

  const metrics = await (await fetch(`${plane.internalUrl}/metrics`)).text();
  const log = chunks.join('');
  expect(log).toContain('"path":"/v1/workspaces/default/servers/marked"');
  for (const text of [log, metrics]) {
    expect(text).not.toContain(mark);
    expect(text).not.toContain(testAdminToken);
  }
});
