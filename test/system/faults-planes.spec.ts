import { afterAll, beforeAll, it } from 'vitest';
import { type LoadedPlanes, startLoadedPlanes } from '../support/loaded-planes.ts';
import { goThroughBadUpstreams, serveBadUpstreams } from '../support/scenarios/bad-upstreams.ts';
import { drain } from '../support/scenarios/drain.ts';
import { convergeAfter, lostHints } from '../support/scenarios/lose-hints.ts';
import { rejectDocument } from '../support/scenarios/reject-document.ts';

// Faults under steady load, in a short form and without limits of time. The long forms are in test/faults (docs/faults.md).
let planes: LoadedPlanes;

beforeAll(async () => {
  planes = await startLoadedPlanes({ GATEHOUSE_CIRCUIT_BREAKER_OPEN_MS: '300' });
  await planes.serve('orders');
  await planes.serve('invoices');
  for (const server of ['orders', 'invoices']) planes.load.begin(server, 2, 30);
}, 240_000);
afterAll(() => planes?.close());

it.each(Object.entries(lostHints))('fault 6: %s: both data planes come to the last edit', async (_name, lose) => {
  await convergeAfter(planes, lose);
}, 120_000);

it('fault 12: a document that data planes cannot use is rejected and reported; the others are updated, its old version stays', async () => {
  await rejectDocument(planes, false);
}, 120_000);

it('fault 14: an upstream that goes wrong has its own timeout, nothing is sent to it twice, and others do not notice', async () => {
  const upstreams = await serveBadUpstreams(planes, 1);
  await goThroughBadUpstreams(planes, upstreams, 2);
}, 120_000);

it('fault 15: SIGTERM with requests in flight and streams open: unready, all of them are answered, exit 0', async () => {
  const upstreams = { lasting: await planes.serve('lasting'), streaming: await planes.serve('streaming') };
  await drain(planes, upstreams, { requests: 40, streams: 10, slowMs: 700 });
}, 120_000);
