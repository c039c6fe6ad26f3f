import 'reflect-metadata';
import cluster from 'node:cluster';
import { createLogger, readSettings } from '@gatehouse/service-runtime';
import type { Readiness } from '../data-plane.ts';
import { dataPlaneSettings } from '../environment.ts';
import { createHealth } from '../health/create-health.ts';
import type { RunningDataPlane } from '../start-data-plane.ts';
import { addWorkerMetrics } from './worker-metrics.ts';
import { settingsOfWorker } from './worker-settings.ts';
import { Workers } from './workers.ts';

export interface RunningWorkers extends RunningDataPlane {
  /** Rejects when the workers cannot go on. */
  readonly failed: Promise<never>;
}

/** For what is closed after the drain timeout. */
const stopMarginMs = 10_000;

/**
 * Starts the processes of one data plane, and is their primary: it answers no calls, but hands connections out, in turn, and answers
 * health and metrics for all of them on the internal port.
 * @param count of the workers
 * @throws InvalidSettingsError, WorkerEndedError
 */
export async function startWorkers(environment: Readonly<Record<string, string | undefined>>, count: number): Promise<RunningWorkers> {
  const settings = readSettings(dataPlaneSettings, environment);
  const logger = createLogger({ level: settings.LOG_LEVEL, role: 'data-plane', worker: 0 });
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const workers = new Workers({
    count,
    environmentOf: (worker) => settingsOfWorker(settings, worker),
    stopTimeoutMs: settings.DRAIN_TIMEOUT_MS + stopMarginMs,
    logger,
  });
  let isDraining = false;
  const internal = await createHealth(
    {
      readiness: () => readinessOf(workers, isDraining),
      metrics: async () => {
        const summed = await workers.metrics();
        addWorkerMetrics(summed, workers);
        return { type: summed.contentType, text: await summed.metrics() };
      },
      describeSnapshot: () => describeSnapshots(workers),
    },
    logger,
  );
  const drain = async (): Promise<void> => {
    isDraining = true;
    await workers.stop();
  };
  try {
    await internal.listen(settings.DATA_PLANE_INTERNAL_PORT, settings.DATA_PLANE_INTERNAL_HOST);
    const url = await workers.start();
    logger.info({ url, workers: count }, 'all workers listen');
    return { url, internalUrl: await internal.getUrl(), failed: workers.failed, drain, close: () => internal.close() };
  } catch (error) {
    await drain();
    await internal.close();
    throw error;
  }
}

/** Ready as long as one of them is: the others' share of connections goes to it. */
async function readinessOf(workers: Workers, isDraining: boolean): Promise<Readiness & { workers: object[] }> {
  await workers.look();
  const all = workers.slots.map(({ number, status }) => ({ worker: number, ...(status?.readiness ?? { ready: false, draining: false, degraded: true, revision: undefined }) }));
  const revisions = all.flatMap(({ revision }) => revision ?? []);
  return {
    ready: !isDraining && all.some(({ ready }) => ready),
    draining: isDraining,
    degraded: all.some(({ ready, degraded }) => degraded || !ready),
    revision: revisions.length === 0 ? undefined : Math.min(...revisions),
    workers: all,
  };
}

/** Those first that are behind, or not there. */
async function describeSnapshots(workers: Workers): Promise<object> {
  await workers.look();
  const all = workers.slots.map(({ number, status }) => ({ worker: number, ...status?.snapshot, revision: status?.readiness.revision }));
  return { workers: all.sort((one, other) => (one.revision ?? 0) - (other.revision ?? 0) || one.worker - other.worker) };
}
