import { expect } from 'vitest';
import type { FleetBehindNginx, Replica } from './fleet-behind-nginx.ts';
import { beginSteadyCallers, type SteadyReport } from './steady-callers.ts';

/** What goes on in the middle of each restart, or there was nothing to break. */
const unceasing = ['call', 'upload', 'read', 'write'] as const;

/**
 * Replaces the replicas of both planes one after the other, as often as said, under steady load through the ingress: a data plane and
 * a control plane at a time. @returns what became of the load
 */
export async function rollUnderLoad(fleet: FleetBehindNginx, restarts: number): Promise<SteadyReport> {
  const callers = await beginSteadyCallers(fleet);
  const roll = async (replicas: readonly Replica[]): Promise<void> => {
    for (let restart = 0; restart < restarts; restart += 1) {
      const before = { ...callers.done };
      expect(await fleet.restart(replicas[restart % replicas.length] as Replica)).toBe(0);
      for (const kind of unceasing) expect([kind, callers.done[kind] > before[kind]]).toEqual([kind, true]);
    }
  };
  // One that failed is no reason to leave the other in the middle of it.
  const results = await Promise.allSettled([roll(fleet.dataPlanes), roll(fleet.controlPlanes)]);
  const report = await callers.stop();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return report;
}
