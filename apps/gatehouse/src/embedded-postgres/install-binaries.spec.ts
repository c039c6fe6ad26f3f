import { cp, lstat, mkdir, readdir, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { findBinaries } from './find-binaries.ts';
import { installBinaries } from './install-binaries.ts';
import { formatIdentity, ownIdentity } from './process-identity.ts';
import { makeTemporaryFolder } from './spec-support.ts';

it('copies for root, complete to several starters at once, and once per version', async () => {
  const home = join(await makeTemporaryFolder(), 'home');
  const packaged = await findBinaries();
  const folders = await Promise.all([1, 2].map(() => installBinaries(packaged, home, true)));
  const [folder = ''] = folders;
  expect(new Set(folders).size).toBe(1);
  expect(await readdir(home)).toEqual([`postgres-${packaged.version}`]);
  expect((await stat(join(folder, 'bin', 'postgres'))).mode & 0o777).toBe(0o755);
  expect(await readdir(join(folder, 'share', 'postgresql'))).toEqual(await readdir(join(packaged.folder, 'share', 'postgresql')));

  const { ino } = await stat(folder);
  expect((await stat(await installBinaries(packaged, home, true))).ino).toBe(ino);
});

it('makes the links that the package could not hold, where its install script did not run', async () => {
  const folder = await makeTemporaryFolder();
  const packaged = { ...(await findBinaries()), folder: join(folder, 'native') };
  await cp((await findBinaries()).folder, packaged.folder, { recursive: true, filter: async (path) => !(await lstat(path)).isSymbolicLink() });

  const installed = await installBinaries(packaged, join(folder, 'home'), false);
  expect(installed).not.toBe(packaged.folder);
  expect(await readlink(join(installed, 'lib', 'libpq.so.5'))).toMatch(/^libpq\.so\.5\.\d+$/);
});

it('uses a complete package in place without root', async () => {
  const home = join(await makeTemporaryFolder(), 'home');
  const packaged = await findBinaries();
  const complete = { ...packaged, folder: await installBinaries(packaged, home, true) };
  expect(await installBinaries(complete, join(home, 'unused'), false)).toBe(complete.folder);
});

it('clears away the half copy of a starter that was killed', async () => {
  const home = await makeTemporaryFolder();
  const dead = join(home, `.staging.${formatIdentity({ ...ownIdentity(), startTicks: '1' })}-x1Y2z3`);
  const alive = join(home, `.staging.${formatIdentity(ownIdentity())}-x1Y2z3`);
  await Promise.all([mkdir(dead), mkdir(alive)]);
  const folder = await installBinaries(await findBinaries(), home, true);
  expect((await readdir(dirname(folder))).sort()).toEqual([basename(alive), basename(folder)]);
});
