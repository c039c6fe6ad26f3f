import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimDataDirectory, type DataDirectory } from '../data-directory.ts';
import { type DemoUpstream, startDemoUpstream } from '../demo/demo-upstream.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded-postgres/start-embedded-postgres.ts';
import { gatehouse, type RunningGatehouse, startGatehouse } from '../spec-gatehouse.ts';
import { reservePort } from '../up/reserve-port.ts';

const key = () => randomBytes(32).toString('base64');
const upstreamKey = 'upstream-key-of-the-spec';

let folder: string;
let directory: DataDirectory;
let postgres: EmbeddedPostgres;
let redis: ChildProcess;
let upstream: DemoUpstream;
let env: Record<string, string>;
let controlPlane: RunningGatehouse;
let dataPlane: RunningGatehouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-roles-'));
  directory = await claimDataDirectory(join(folder, 'database'));
  postgres = await startEmbeddedPostgres(directory);
  const redisPort = await reservePort(0, '');
  await redisPort.release();
  redis = spawn('redis-server', ['--port', String(redisPort.port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], { stdio: 'ignore' });
  upstream = await startDemoUpstream({ key: upstreamKey });
  await writeFile(join(folder, 'vault-key'), key());
  env = {
    GATEHOUSE_DATABASE_URL: postgres.url,
    GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${redisPort.port}`,
    GATEHOUSE_VAULT_KEY_FILE: join(folder, 'vault-key'),
    GATEHOUSE_SNAPSHOT_KEY: key(),
    GATEHOUSE_SNAPSHOT_DIR: join(folder, 'snapshots'),
    GATEHOUSE_ADMIN_TOKEN: randomBytes(32).toString('hex'),
    GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
    GATEHOUSE_CONTROL_PLANE_PORT: '0',
    GATEHOUSE_CONTROL_PLANE_INTERNAL_PORT: '0',
    GATEHOUSE_DATA_PLANE_PORT: '0',
    GATEHOUSE_DATA_PLANE_INTERNAL_PORT: '0',
  };
});

afterAll(async () => {
  await Promise.all([dataPlane, controlPlane].map((role) => role?.stop('SIGKILL')));
  await upstream.close();
  redis.kill();
  await once(redis, 'exit');
  await postgres.stop();
  await directory.close();
  await rm(folder, { recursive: true });
});

it('migrates the database, also when that is done already', async () => {
  expect(await gatehouse(['migrate'], { env })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await gatehouse(['migrate'], { env })).toMatchObject({ exitCode: 0, stderr: '' });
});

it('runs both planes as processes of their own, and serves what is applied', async () => {
  controlPlane = await startGatehouse(['control-plane'], env);
  dataPlane = await startGatehouse(['data-plane'], env);
  const access = {
    GATEHOUSE_CONTROL_PLANE_URL: String(controlPlane.ready['controlPlaneUrl']),
    GATEHOUSE_DATA_PLANE_URL: String(dataPlane.ready['dataPlaneUrl']),
    GATEHOUSE_TOKEN: env['GATEHOUSE_ADMIN_TOKEN'] ?? '',
  };
  const documents = `
kind: Server
name: guarded
type: mcp
upstream: { url: ${upstream.url} }
agentAuth: { type: api-key }
appAuth: { type: api-key, name: X-Api-Key, in: header, value: { fromEnv: UPSTREAM_KEY } }
---
kind: ServiceAccount
name: nightly
`;
  const applied = await gatehouse(['apply', '-f', '-'], { cwd: folder, env: { ...access, UPSTREAM_KEY: upstreamKey }, input: documents });
  expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
  const callerKey = /gatehouse_\w{16}_[\w-]{43}/.exec(applied.stdout)?.[0] ?? '';

  await expect.poll(() => gatehouse(['call', 'guarded', 'add', 'a=1', 'b=2'], { env: { ...access, GATEHOUSE_KEY: callerKey } }), { timeout: 10_000 }).toEqual({
    exitCode: 0,
    stdout: '3\n',
    stderr: '',
  });
  const anonymous = await gatehouse(['call', 'guarded', 'add', 'a=1', 'b=2'], { env: access });
  expect(anonymous).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--key or GATEHOUSE_KEY') as string });
  const wrongToken = await gatehouse(['export'], { env: { ...access, GATEHOUSE_TOKEN: 'wrong' } });
  expect(wrongToken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('refuses the admin token') as string });
});

it('ends by SIGTERM also while it waits for its database', async () => {
  const executable = fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url));
  const waiting = spawn(process.execPath, [executable, 'control-plane'], { env: { ...env, GATEHOUSE_DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(waiting, 'exit');
  let log = '';
  waiting.stdout.on('data', (chunk: Buffer) => void (log += chunk.toString()));
  await expect.poll(() => log, { timeout: 20_000 }).toContain('cannot be reached yet');
  waiting.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('stops each plane by SIGTERM with exit code 0', async () => {
  expect(await dataPlane.stop()).toBe(0);
  expect(await controlPlane.stop('SIGINT')).toBe(0);
  expect(controlPlane.stdout()).not.toContain(upstreamKey);
});
