import cluster from 'node:cluster';
import { createLogger, readSettings } from '@gatehouse/service-runtime';
import { dataPlaneSettings } from '../environment.ts';
import { openDataPlane } from '../start-data-plane.ts';
import type { Answers, FromWorker, ToWorker } from './worker-messages.ts';
import { peerPortOf, workerVariable } from './worker-settings.ts';

export interface RunningWorker {
  /** Aborted when the primary process says so, and when it is gone. */
  readonly stopped: AbortSignal;
  readonly drain: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Whether this process is one of several that share a public port. */
export const isWorker = (environment: Readonly<Record<string, string | undefined>>): boolean => cluster.isWorker && environment[workerVariable] !== undefined;

/**
 * Starts one worker of a data plane: a data plane of its own, but for the public port, which the primary process holds and hands
 * connections out of, and the internal one, for which the primary process asks here.
 * @throws InvalidSettingsError
 */
export async function startWorker(environment: Readonly<Record<string, string | undefined>>): Promise<RunningWorker> {
  const settings = readSettings(dataPlaneSettings, environment);
  const number = Number(environment[workerVariable]);
  const logger = createLogger({ level: settings.LOG_LEVEL, role: 'data-plane', worker: number });
  const { dataPlane, close } = openDataPlane(settings, logger);
  const stop = new AbortController();

  const answers: { readonly [Ask in keyof Answers]: () => Promise<Answers[Ask]> } = {
    status: () => Promise.resolve({ readiness: dataPlane.readiness(), snapshot: dataPlane.describeSnapshot() }),
    // Its types say that a metric's type is a number; it is a word.
    metrics: () => dataPlane.registry.getMetricsAsJSON() as Promise<unknown> as Promise<Answers['metrics']>,
  };
  process.on('message', (message: ToWorker) => {
    if ('stop' in message) return stop.abort();
    // What cannot be said now is said the next time; the primary process has what was said last.
    answers[message.ask]().then((answer) => tellPrimary({ id: message.id, answer }), (error: unknown) => logger.warn({ err: error, asked: message.ask }, 'the primary process gets no answer'));
  });
  try {
    const url = await dataPlane.start(peerPortOf(settings, number));
    logger.info({ url }, 'data plane listens');
    // Node ends the process where it stands when the primary process is gone. From now on what is in flight here is answered first.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    process.once('disconnect', () => stop.abort());
    tellPrimary({ startedAt: url });
    return { stopped: stop.signal, drain: () => dataPlane.drain(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function tellPrimary(message: FromWorker): void {
  // To one that is gone nothing can be told.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
