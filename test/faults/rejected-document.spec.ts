import { afterAll, beforeAll, test } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { type LoadedPlanes, startLoadedPlanes } from '../support/loaded-planes.ts';
import { rejectDocument } from '../support/scenarios/reject-document.ts';

let planes: LoadedPlanes;
beforeAll(async () => {
  planes = await startLoadedPlanes();
  for (const name of ['orders', 'invoices']) {
    await planes.serve(name);
    planes.load.begin(name, 5, 20);
  }
});
afterAll(() => planes?.close());

test('fault 12: a document that validates on the control plane and does not compile on data planes: that one rejected and reported, the others updated, the old one kept, also after a restart', async () => {
  const { othersMs, repairedMs } = await rejectDocument(planes, true);
  reportFault(12, 'a document that does not compile', { convergedMs: othersMs, repairedMs });
});
