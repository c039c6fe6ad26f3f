import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claimDataDirectory, readOrCreateSecretFile } from './data-directory.ts';
import { formatIdentity, ownIdentity } from './embedded-postgres/process-identity.ts';
import { killAndWait, makeTemporaryFolder, runModule } from './embedded-postgres/spec-support.ts';

const holdInChild = (path: string): string => `
  import { claimDataDirectory } from ${JSON.stringify(import.meta.resolve('./data-directory.ts'))};
  setInterval(() => undefined, 1_000);
  await claimDataDirectory(${JSON.stringify(path)}).then(() => console.log('held'), (error) => console.log(error.code));
`;
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('claimDataDirectory', () => {
  it('creates the directory for its owner alone, and leaves nothing in it when closed', async () => {
    const path = join(await makeTemporaryFolder(), 'new', 'data');
    const directory = await claimDataDirectory(path);
    expect(directory.path).toBe(path);
    expect(await modeOf(path)).toBe(0o700);
    expect(await readdir(path)).toHaveLength(1);

    await directory.close();
    expect(await readdir(path)).toEqual([]);
  });

  it('refuses a directory that this process holds, until it is closed', async () => {
    const path = await makeTemporaryFolder();
    const first = await claimDataDirectory(path);
    await expect(claimDataDirectory(path)).rejects.toMatchObject({ code: 'data_directory_in_use', pid: process.pid });

    await first.close();
    await (await claimDataDirectory(path)).close();
  });

  it('refuses a directory that another process holds, and takes it over when that one was killed', async () => {
    const path = await makeTemporaryFolder();
    const { child, pid, line } = await runModule(holdInChild(path));
    expect(line).toBe('held');
    await expect(claimDataDirectory(path)).rejects.toMatchObject({ code: 'data_directory_in_use', pid });

    await killAndWait(child);
    const directory = await claimDataDirectory(path);
    expect(await readdir(path)).toHaveLength(1);
    await directory.close();
  });

  it('does not take a recycled pid for the process that left the lock', async () => {
    const path = await makeTemporaryFolder();
    await writeFile(join(path, `lock.${formatIdentity({ ...ownIdentity(), pid: process.ppid, startTicks: '1' })}`), '');
    await (await claimDataDirectory(path)).close();
  });

  it('goes to one of several starters, also over a stale lock', async () => {
    const path = await makeTemporaryFolder();
    await writeFile(join(path, `lock.${formatIdentity({ ...ownIdentity(), pid: process.ppid, startTicks: '1' })}`), '');
    const starters = await Promise.all(Array.from({ length: 4 }, () => runModule(holdInChild(path))));
    expect(starters.map(({ line }) => line).sort()).toEqual([...Array<string>(3).fill('data_directory_in_use'), 'held']);
  });
});

describe('a lock from another container or boot, whose pid says nothing here', () => {
  const foreign = { pid: 1, startTicks: '1', world: 'f00d' };

  it('is respected while its time moves on', async () => {
    const path = await makeTemporaryFolder();
    const lock = join(path, `lock.${formatIdentity(foreign)}`);
    await writeFile(lock, '');
    const heartbeat = setInterval(() => void utimes(lock, new Date(), new Date()), 50);
    onTestFinished(() => clearInterval(heartbeat));
    await expect(claimDataDirectory(path)).rejects.toMatchObject({ code: 'data_directory_in_use', pid: 1 });
    expect(existsSync(lock)).toBe(true);
  });

  it('is taken over when its time stands still', async () => {
    const path = await makeTemporaryFolder();
    await writeFile(join(path, `lock.${formatIdentity(foreign)}`), '');
    await (await claimDataDirectory(path)).close();
    expect(await readdir(path)).toEqual([]);
  });

  it('is kept alive by its holder', async () => {
    const path = await makeTemporaryFolder();
    const directory = await claimDataDirectory(path);
    const lock = join(path, (await readdir(path))[0] ?? '');
    const { mtimeMs } = await stat(lock);
    await expect.poll(async () => (await stat(lock)).mtimeMs, { timeout: 10_000 }).not.toBe(mtimeMs);
    await directory.close();
  });
});

describe('readOrCreateSecretFile', () => {
  it('makes the value once, readable by its owner alone', async () => {
    const path = join(await makeTemporaryFolder(), 'admin-token');
    expect(await readOrCreateSecretFile(path, () => 'first')).toBe('first');
    expect(await readOrCreateSecretFile(path, () => 'second')).toBe('first');
    expect(await modeOf(path)).toBe(0o600);
    expect(await readFile(path, 'utf8')).toBe('first\n');
  });

  it('gives all who ask at once the same value, and leaves no drafts', async () => {
    const folder = await makeTemporaryFolder();
    const values = await Promise.all(['a', 'b', 'c', 'd'].map((value) => readOrCreateSecretFile(join(folder, 'key'), () => value)));
    expect(new Set(values).size).toBe(1);
    expect(await readdir(folder)).toEqual(['key']);
  });

  it('does not take an empty file, or a folder, for a secret', async () => {
    const folder = await makeTemporaryFolder();
    await writeFile(join(folder, 'empty'), '\n');
    await mkdir(join(folder, 'folder'));
    await expect(readOrCreateSecretFile(join(folder, 'empty'), () => 'x')).rejects.toThrow('is empty');
    await expect(readOrCreateSecretFile(join(folder, 'folder'), () => 'x')).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
