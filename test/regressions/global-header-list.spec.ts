import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcessDataPlane, type SpecServer, startInProcessDataPlane } from '../support/in-process-data-plane.ts';
import { headerValue, type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';

/*
 * ContextForge #6963: the global list of headers was silently ignored for a server that had none of its own, because an empty
 * list and no list were the same to it. Here they are two things, in both directions.
 */

let upstream: RecordingUpstream;
let dataPlane: InProcessDataPlane;

beforeAll(async () => {
  upstream = await startRecordingUpstream();
  dataPlane = await startInProcessDataPlane();
  const target = { upstream: { url: upstream.url } };
  await dataPlane.publish(
    { name: 'silent', ...target },
    { name: 'silent-with-credential', ...target, appAuth: { type: 'bearer', token: 'stored' } },
    { name: 'empty', ...target, headerPolicy: { mode: 'list', list: [] } },
    { name: 'none', ...target, headerPolicy: { mode: 'none' } },
    { name: 'other', ...target, headerPolicy: { mode: 'list', list: ['X-Other'] } },
  );
});
afterAll(async () => {
  await dataPlane.close();
  await upstream.close();
});

async function tenantAt(server: SpecServer['name']): Promise<string | undefined> {
  const seen = upstream.nextRequest();
  await fetch(`${dataPlane.url}/mcp/default/${server}`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-tenant': 'acme' }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  return headerValue(await seen, 'x-tenant');
}

const ways: [string, Parameters<InProcessDataPlane['publishHeaderPolicy']>][] = [
  ['a list in the document', [{ mode: 'list', list: ['X-Tenant'] }]],
  ['mappings in the document', [{ mode: 'mappings', mappings: [{ source: 'X-Tenant' }] }]],
  ['mode all in the document', [{ mode: 'all' }]],
  ['a list in the environment', [undefined, { list: ['X-Tenant'] }]],
  ['a list in the environment, and a document without rows', [{ restricted: ['x-internal-*'] }, { list: ['X-Tenant'] }]],
  ['both, merged', [{ mode: 'list', list: ['X-Region'] }, { list: ['X-Tenant'], source: 'merge' }]],
];

describe.each(ways)('%s', (_name, policy) => {
  beforeAll(() => dataPlane.publishHeaderPolicy(...policy));
  it.each(['silent', 'silent-with-credential'])('holds for a server that says nothing: %s', async (server) => expect(await tenantAt(server)).toBe('acme'));
  it.each(['empty', 'none', 'other'])('not for one that does: %s', async (server) => expect(await tenantAt(server)).toBeUndefined());
});

describe.each<[string, Parameters<InProcessDataPlane['publishHeaderPolicy']>]>([
  ['an empty list in the document', [{ mode: 'list', list: [] }, { list: ['X-Tenant'] }]],
  ['mode none in the document', [{ mode: 'none' }, { list: ['X-Tenant'] }]],
])('%s is not the environment’s list', (_name, policy) => {
  beforeAll(() => dataPlane.publishHeaderPolicy(...policy));
  it('for a server that says nothing', async () => expect(await tenantAt('silent')).toBeUndefined());
});

it('a policy that changes holds from the next request on, without the servers being published again', async () => {
  await dataPlane.publishHeaderPolicy({ mode: 'list', list: ['X-Tenant'] });
  expect(await tenantAt('silent')).toBe('acme');
  await dataPlane.publishHeaderPolicy({ mode: 'list', list: ['X-Tenant'], enabled: false });
  expect(await tenantAt('silent')).toBeUndefined();
  await dataPlane.publishHeaderPolicy({ mode: 'mappings', mappings: [{ source: 'X-Other', target: 'X-Tenant' }] });
  expect(await tenantAt('silent')).toBeUndefined();
  await dataPlane.publishHeaderPolicy({ mode: 'all' });
  expect(await tenantAt('silent')).toBe('acme');
});
