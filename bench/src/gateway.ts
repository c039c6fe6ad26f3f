import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchSecrets } from './bench-secrets.ts';
import { pinned } from './cores.ts';
import { RunningProcess } from './running-process.ts';

export interface GatewayOptions {
  /** The script that is started; see `BenchOptions.gateway`. */
  readonly script: string;
  /** Of its log and of the configuration it keeps on disk. */
  readonly name: string;
  readonly folder: string;
  readonly core: number | undefined;
  readonly redisUrl: string;
  readonly secrets: BenchSecrets;
  readonly logLevel?: string;
  /** Settings besides. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Until it has to be ready: 30 seconds when absent. */
  readonly startLimitMs?: number;
}

export interface RunningGateway {
  /** Without a path. */
  readonly origin: string;
  readonly internalUrl: string;
  readonly process: RunningProcess;
  /** From the start of the process until it said that it serves a configuration. */
  readonly readyAfterMs: number;
}

/** One data plane, as a process of its own, ready to serve. */
export async function startGateway({ script, name, folder, core, redisUrl, secrets, logLevel, environment: more = {}, startLimitMs = 30_000 }: GatewayOptions): Promise<RunningGateway> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  const environment = {
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_SNAPSHOT_KEY: secrets.snapshotKey.toString('base64'),
    GATEHOUSE_SNAPSHOT_DIR: join(home, 'snapshot'),
    GATEHOUSE_DATA_PLANE_HOST: '127.0.0.1',
    GATEHOUSE_DATA_PLANE_PORT: '0',
    GATEHOUSE_DATA_PLANE_INTERNAL_HOST: '127.0.0.1',
    GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
    GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
    ...(logLevel && { GATEHOUSE_LOG_LEVEL: logLevel }),
    ...more,
  };
  const outputFile = join(folder, `${name}-${performance.now()}.log`);
  const startedAt = performance.now();
  const process = new RunningProcess({ command: pinned(core, [nodePath, script, 'data-plane', '--json']), environment, outputFile });
  const { dataPlaneUrl, internalUrl } = await process.until('the gateway', () => readyLine(outputFile));
  // Listening is not serving: it is ready when it has a configuration.
  await process.until('the gateway’s configuration', async () => ((await fetch(`${internalUrl}/readyz`)).ok ? true : undefined), 5, startLimitMs);
  return { origin: dataPlaneUrl, internalUrl, process, readyAfterMs: performance.now() - startedAt };
}

const nodePath = process.execPath;

interface ReadyLine {
  readonly dataPlaneUrl: string;
  readonly internalUrl: string;
}

async function readyLine(outputFile: string): Promise<ReadyLine | undefined> {
  const line = (await readFile(outputFile, 'utf8')).split('\n').find((text) => text.startsWith('{"ready":true'));
  return line === undefined ? undefined : (JSON.parse(line) as ReadyLine);
}
