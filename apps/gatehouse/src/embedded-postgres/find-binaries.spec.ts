import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findBinaries } from './find-binaries.ts';

it('finds the binaries of this machine', async () => {
  const { folder, version } = await findBinaries();
  expect(existsSync(join(folder, 'bin', 'postgres'))).toBe(true);
  expect(version).toContain(`${process.platform}-${process.arch}`);
});

it.each([
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'riscv64'],
])('says what to do instead on %s %s', async (platform, arch) => {
  await expect(findBinaries(platform, arch)).rejects.toMatchObject({
    code: 'embedded_postgres_unsupported',
    message: expect.stringContaining('GATEHOUSE_DATABASE_URL') as string,
  });
});
