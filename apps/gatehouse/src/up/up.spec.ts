import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAdminClient } from '../../../../test/support/admin-client.ts';
import { TestBrowser } from '../../../../test/support/test-browser.ts';
import { gatehouse, gatehouseUp, type RunningUp } from '../spec-gatehouse.ts';

interface Whoami {
  readonly structuredContent: { readonly storedKey: { readonly fingerprint: string }; readonly callerHeaders: readonly string[] };
}

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'gatehouse-up-'));

async function whoami(dataDir: string, flags: readonly string[] = []): Promise<Whoami['structuredContent']> {
  const { exitCode, stdout, stderr } = await gatehouse(['call', 'demo', 'whoami', '--data-dir', dataDir, '--json', ...flags]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return (JSON.parse(stdout) as Whoami).structuredContent;
}

describe('gatehouse up --demo', () => {
  let dataDir: string;
  let up: RunningUp;
  beforeAll(async () => {
    dataDir = join(await newFolder(), 'data');
    up = await gatehouseUp(dataDir, ['--demo']);
  });
  afterAll(async () => {
    await up.stop();
    await rm(join(dataDir, '..'), { recursive: true });
  });

  it('says that it is ready by one line of JSON and nothing else', () => {
    const loginUrl = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/login\/link\?token=[\w-]{43}$/) as string;
    expect(JSON.parse(up.stdout())).toEqual({ ready: true, controlPlaneUrl: up.controlPlaneUrl, dataPlaneUrl: up.dataPlaneUrl, loginUrl });
  });

  it('keeps its secrets where only their owner reads them', async () => {
    for (const file of ['admin-token', 'keys/vault-key', 'keys/snapshot-key', 'instance.json', 'gatehouse.log']) {
      expect([file, (await stat(join(dataDir, file))).mode & 0o777]).toEqual([file, 0o600]);
    }
  });

  it('calls a tool with the stored key, and none of the caller’s headers', async () => {
    const own = ['-H', 'Authorization: Bearer mine', '-H', 'Cookie: a=b', '-H', 'X-Tenant: acme', '-H', 'X-Api-Key: forged'];
    const { storedKey, callerHeaders } = await whoami(dataDir, own);
    expect(callerHeaders).toEqual([]);
    expect(storedKey).toEqual((await whoami(dataDir)).storedKey);
    // What was called is kept, without Redis too.
    const admin = createAdminClient(up.controlPlaneUrl, (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim());
    await vi.waitFor(async () => expect((await admin.get<{ items: object[] }>('/v1/call-events?tool=whoami')).body.items).toHaveLength(2), { timeout: 15_000 });
  });

  it('says what there is instead of what does not exist', async () => {
    const noServer = await gatehouse(['call', 'nothing', 'x', '--data-dir', dataDir]);
    expect(noServer).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('There are: demo.') as string });
    const noTool = await gatehouse(['call', 'demo', 'x', '--data-dir', dataDir]);
    expect(noTool).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('add a=<number> b=<number>') as string });
  });

  it('refuses a second instance on its data directory, and names the process', async () => {
    const second = await gatehouse(['up', '--data-dir', dataDir, '--control-plane-port', '0', '--data-plane-port', '0']);
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`process ${up.child.pid}`) as string });
    expect(await whoami(dataDir)).toBeDefined();
  });

  it('names the port that is in use, and the flag', async () => {
    const { port } = new URL(up.dataPlaneUrl);
    const folder = await newFolder();
    const second = await gatehouse(['up', '--data-dir', folder, '--control-plane-port', '0', '--data-plane-port', port]);
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`Port ${port} of 127.0.0.1 is already in use: choose another one with --data-plane-port`) as string });
    await rm(folder, { recursive: true });
  });

  it('runs beside another instance', async () => {
    const otherDir = await newFolder();
    const other = await gatehouseUp(otherDir, ['--demo']);
    const [here, there] = [await whoami(dataDir), await whoami(otherDir)];
    expect(here.storedKey.fingerprint).not.toBe(there.storedKey.fingerprint);
    expect(await other.stop('SIGINT')).toBe(0);
    await rm(otherDir, { recursive: true });
  });

  it('stops in order, and starts again with what it had', async () => {
    const before = await whoami(dataDir);
    expect(await up.stop()).toBe(0);
    expect(existsSync(join(dataDir, 'instance.json'))).toBe(false);
    expect(await gatehouse(['call', 'demo', '--data-dir', dataDir])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is "gatehouse up" running?') as string });

    up = await gatehouseUp(dataDir, ['--demo']);
    expect(await whoami(dataDir)).toEqual(before);
  });

  it('comes back after it was killed', async () => {
    await up.stop('SIGKILL');
    expect(await gatehouse(['call', 'demo', '--data-dir', dataDir])).toMatchObject({ exitCode: 1 });
    up = await gatehouseUp(dataDir, ['--demo']);
    expect(await whoami(dataDir)).toBeDefined();
  });

  it('gives the first administrator a one-time login, another one with each start, until it was used', async () => {
    const { loginUrl: former } = up.ready as { loginUrl: string };
    await up.stop();
    up = await gatehouseUp(dataDir, ['--demo']);
    const { loginUrl } = up.ready as { loginUrl: string };
    const password = 'correct horse battery';
    const browser = new TestBrowser({ servers: { [new URL(former).origin]: () => up.controlPlaneUrl } });
    expect((await browser.open(former)).status).toBe(410);
    expect((await browser.submit(await browser.open(loginUrl), { email: 'me@example.com', password })).url.pathname).toBe('/docs');
    expect(await readFile(join(dataDir, 'gatehouse.log'), 'utf8')).not.toContain(new URL(loginUrl).searchParams.get('token') ?? '');

    await up.stop();
    up = await gatehouseUp(dataDir, ['--demo']);
    expect(up.ready).not.toHaveProperty('loginUrl');
    const again = new TestBrowser();
    const page = await again.submit(await again.open(`${up.controlPlaneUrl}/login?return_to=/openapi.json`), { email: 'me@example.com', password });
    expect([page.status, page.url.pathname]).toEqual([200, '/openapi.json']);
  });

  it('refuses a wrong setting with exit code 78, and leaves nothing running', async () => {
    const folder = await newFolder();
    const args = ['up', '--data-dir', folder, '--control-plane-port', '0', '--data-plane-port', '0'];
    const result = await gatehouse(args, { env: { GATEHOUSE_LOG_LEVEL: 'loud' } });
    expect(result).toMatchObject({ exitCode: 78, stdout: '', stderr: expect.stringContaining('GATEHOUSE_LOG_LEVEL') as string });
    expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false);
    expect(await readFile(join(folder, 'gatehouse.log'), 'utf8')).toContain('could not start');
    await rm(folder, { recursive: true });
  });
});
