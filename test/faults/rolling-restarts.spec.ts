import { expect, it } from 'vitest';
import { reportFault } from '../support/fault-report.ts';
import { startFleetBehindNginx } from '../support/fleet-behind-nginx.ts';
import { rollUnderLoad } from '../support/rolling-restarts.ts';
import { steadyKinds } from '../support/steady-callers.ts';

const restarts = 20;

it('20 data planes and 20 control planes are replaced one after the other under load: nothing is reset, and no call fails', async () => {
  const fleet = await startFleetBehindNginx();
  try {
    const { done, failures } = await rollUnderLoad(fleet, restarts);
    reportFault(15, `${restarts} rolling restarts of each plane behind nginx`, { ...done, failures: failures.length });
    expect(failures).toEqual([]);
    for (const kind of steadyKinds) expect([kind, done[kind] > 0]).toEqual([kind, true]);
  } finally {
    await fleet.close();
  }
}, 1_800_000);
