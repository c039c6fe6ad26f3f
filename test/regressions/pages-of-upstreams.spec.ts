import { afterAll, beforeAll, expect, it } from 'vitest';
import { type InProcessDataPlane, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/* Behind one ingress the planes share an origin. A page of an upstream would run there with the session of whoever opens it. */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;
let answered: Record<string, string>;
beforeAll(async () => {
  upstream = await startRecordingUpstream({ handler: (_request, response) => void response.writeHead(200, answered).end('<script>alert(1)</script>') });
  dataPlane = await startInProcessDataPlane();
  await dataPlane.publish({ name: 'mcp', upstream: { url: upstream.url } }, { name: 'legacy', upstream: { url: upstream.url, transport: 'sse' } }, { name: 'files', type: 'api', tools: { operations: [] }, upstream: { url: upstream.url } });
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

const types: Record<string, string>[] = [{ 'content-type': 'text/html' }, { 'content-type': 'image/svg+xml' }, { 'content-type': 'application/xhtml+xml' }, { 'content-type': 'application/json, text/html' }, { 'content-type': 'text/event-stream, text/html' }, {}];

it.each(['/mcp/default/mcp', '/sse/default/legacy', '/api/default/files/page.html'].flatMap((path) => types.map((type) => [path, type['content-type'], type] as const)))('what is opened at %s, of type %s, runs nothing', async (path, _type, headers) => {
  answered = { ...headers, 'content-security-policy': 'default-src *', 'x-content-type-options': 'none' };
  const response = await fetch(dataPlane.url + path, { headers: { 'sec-fetch-mode': 'navigate', accept: 'text/html' } });
  const type = response.headers.get('content-type') ?? '';
  // An error of the gateway's own is no page either.
  if (response.status >= 400 && /^application\/(?:problem\+)?json$/.test(type)) return;
  expect([response.headers.get('content-security-policy'), response.headers.get('x-content-type-options')]).toEqual([expect.stringContaining("sandbox; default-src 'none'"), expect.stringContaining('nosniff')]);
});
