import type { Logger } from '@gatehouse/service-runtime';
import manifest from '../../package.json' with { type: 'json' };
import { claimDataDirectory } from '../data-directory.ts';
import { describeFailure } from '../describe-failure.ts';
import { gatehouseSettings } from '../environment.ts';
import { removeInstance, writeInstance } from '../gateway/instance-file.ts';
import { output } from '../output.ts';
import { aborted, exitSoon, stopSignal } from '../stop-signal.ts';
import { ClosingStack } from './closing-stack.ts';
import { firstAdminLink } from './first-admin-link.ts';
import { readOrCreateSecrets } from './instance-secrets.ts';
import { openLogFile } from './log-file.ts';
import { startGateway } from './start-gateway.ts';
import { Stopwatch } from './stopwatch.ts';
import { welcome } from './welcome.ts';

export interface UpOptions {
  readonly demo?: boolean;
  readonly dataDir: string;
  readonly controlPlanePort: number;
  readonly dataPlanePort: number;
  readonly json?: boolean;
}

/** `gatehouse up`: everything in this process, until SIGINT or SIGTERM. */
export async function up(options: UpOptions): Promise<number> {
  const stopwatch = new Stopwatch();
  const signal = stopSignal();
  const given = gatehouseSettings();
  const directory = await claimDataDirectory(options.dataDir);
  if (!options.json && process.stderr.isTTY) output.note('Starting …');
  const log = await openLogFile(directory.path, given['GATEHOUSE_LOG_LEVEL']);
  const logger = log.loggerOf('up');
  const parts = new ClosingStack((part, tookMs, error) => {
    if (error === undefined) logger.info({ part, tookMs }, 'closed');
    else logger.error({ part, tookMs, err: error }, 'did not close as it should');
  });
  parts.add('data directory', () => directory.close());
  parts.add('log', () => log.close());
  let exitCode = 0;
  try {
    const secrets = await readOrCreateSecrets(directory.path);
    let closeDemo = (): Promise<void> => Promise.resolve();
    // Added before the planes, so that it is closed after them: calls in flight are finished.
    parts.add('demo', () => closeDemo());
    const gateway = await startGateway({ ...options, directory, secrets, given, loggerOf: log.loggerOf, parts, stopwatch, signal });
    if (options.demo) {
      const { startDemo } = await import('../demo/start-demo.ts');
      closeDemo = await stopwatch.time('demo', () => startDemo(gateway, secrets));
    }
    const { controlPlaneUrl, dataPlaneUrl } = gateway;
    const loginUrl = await firstAdminLink(controlPlaneUrl, secrets.adminToken);
    parts.add('instance file', () => removeInstance(directory.path));
    await writeInstance(directory.path, { pid: process.pid, version: manifest.version, controlPlaneUrl, dataPlaneUrl });

    logger.info({ controlPlaneUrl, dataPlaneUrl, totalMs: stopwatch.totalMs, phasesMs: stopwatch.phases }, 'ready');
    if (options.json) output.json({ ready: true, controlPlaneUrl, dataPlaneUrl, ...(loginUrl !== undefined && { loginUrl }) });
    else output.line(welcome({ ...options, controlPlaneUrl, dataPlaneUrl, loginUrl, logPath: log.path, tookMs: stopwatch.totalMs }));
    exitCode = await untilStopped(signal, logger);
  } catch (error) {
    // Stopped while it was starting is no failure.
    if (!signal.aborted) {
      logger.fatal({ err: error }, 'could not start');
      throw error;
    }
  } finally {
    await parts.close();
    exitSoon();
  }
  return exitCode;
}

/** Gives the exit code: 0 after a signal, 1 after an error that nobody caught. */
async function untilStopped(signal: AbortSignal, logger: Logger): Promise<number> {
  const failed = new Promise<number>((resolve) => {
    process.once('uncaughtException', (error) => {
      logger.fatal({ err: error }, 'stopping after an unforeseen error');
      output.note(`gatehouse: stopping after an unforeseen error: ${describeFailure(error)}`);
      resolve(1);
    });
  });
  return Promise.race([failed, aborted(signal).then(() => 0)]);
}
