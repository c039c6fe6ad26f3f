import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
type Names = Readonly<Record<string, string>>;
interface Package {
  readonly dependencies?: Names;
  readonly devDependencies?: Names;
  readonly optionalDependencies?: Names;
}
interface Bill {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string; readonly hashes?: readonly unknown[] }[];
}
interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
}

let locked: [string, Locked][];
const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(join(root, path), 'utf8')) as T;
const external = (names: Names = {}): string[] => Object.keys(names).filter((name) => !name.startsWith('@gatehouse/'));

beforeAll(async () => {
  const { packages } = await readJson<{ packages: Record<string, Locked> }>('package-lock.json');
  locked = Object.entries(packages).filter(([place, { link }]) => place.includes('node_modules/') && !link);
});

describe('docs/dependencies.md', () => {
  const named = async (title: string): Promise<string[]> => {
    const section = (await readFile(join(root, 'docs/dependencies.md'), 'utf8')).split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
    return [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).sort();
  };

  it('says of each direct dependency why it is there, and of no other', async () => {
    const product = new Set<string>();
    const others = new Set<string>();
    for (const path of ['package.json', ...globSync('{apps,libs}/*/package.json', { cwd: root })]) {
      const { dependencies, devDependencies, optionalDependencies } = await readJson<Package>(path);
      for (const name of [...external(dependencies), ...external(optionalDependencies)]) product.add(name);
      for (const name of external(devDependencies)) others.add(name);
    }
    for (const path of ['test/package.json', 'bench/package.json', 'test/deploy/tools/package.json']) {
      const { dependencies, devDependencies } = await readJson<Package>(path);
      for (const name of [...external(dependencies), ...external(devDependencies)]) others.add(name);
    }
    expect(await named('In the product')).toEqual([...product].sort());
    expect(await named('For building and testing')).toEqual([...others].filter((name) => !product.has(name)).sort());
  });

  it('names what the specs of the deployment files install', async () => {
    const text = await readFile(join(root, 'docs/dependencies.md'), 'utf8');
    const lines = (await readFile(join(root, 'test/deploy/tools/requirements.txt'), 'utf8')).split('\n').filter((line) => /^[a-z]/.test(line));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(line).toMatch(/^[a-z-]+==[\d.]+$/);
      expect(text).toContain(`\`${line.split('==')[0] ?? ''}\``);
    }
  });
});

describe('licences', () => {
  const permissive = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'CC0-1.0', 'Python-2.0', 'Zlib'];
  /** They bind who changes these files, or shows these data; not who uses them. */
  const whileBuilding = [...permissive, 'MPL-2.0', 'CC-BY-4.0'];
  /** Whose package.json names no identifier: what their LICENSE says, read by a person. */
  const read: Readonly<Record<string, string>> = { '@modelcontextprotocol/inspector': 'MIT AND Apache-2.0', '@modelcontextprotocol/server-everything': 'MIT AND Apache-2.0' };

  const nameOf = (place: string): string => place.split('node_modules/').at(-1) ?? '';
  const licenceOf = (place: string, { license = '' }: Locked): string => (license.startsWith('SEE ') ? (read[nameOf(place)] ?? '') : license);
  /** Of an SPDX expression without nested alternatives, which is all that there are. */
  const isAllowed = (expression: string, allowed: readonly string[]): boolean => expression.replaceAll(/[()]/g, '').split(' OR ').some((all) => all.split(' AND ').every((one) => allowed.includes(one)));

  it('an expression is allowed where one alternative is, in all its parts', () => {
    expect(isAllowed('(MIT OR GPL-3.0-or-later)', permissive)).toBe(true);
    for (const no of ['', 'UNLICENSED', 'AGPL-3.0-only', 'MIT AND GPL-2.0-only', 'CC-BY-NC-4.0', 'BUSL-1.1', 'SSPL-1.0', 'Elastic-2.0']) expect(isAllowed(no, whileBuilding), no).toBe(false);
  });

  it('nothing in the lock file forbids commercial use', () => {
    expect(locked.length).toBeGreaterThan(300);
    expect(locked.filter(([place, entry]) => !isAllowed(licenceOf(place, entry), whileBuilding)).map(([place, { license }]) => [place, license])).toEqual([]);
  });

  it('the bill of materials is one of what is shipped, each with version and hash, under permissive licences', async () => {
    const { scripts } = await readJson<{ scripts: Record<string, string> }>('package.json');
    const { exitCode, stdout } = await runCommand('sh', ['-c', scripts['sbom'] ?? ''], { cwd: root });
    expect(exitCode).toBe(0);
    const bill = JSON.parse(stdout) as Bill;
    expect(bill.bomFormat).toBe('CycloneDX');
    const shipped = bill.components.filter(({ purl }) => !purl.startsWith('pkg:npm/%40gatehouse/'));
    const names = shipped.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['undici', 'pg', '@nestjs/core', 'oidc-provider']));
    for (const dev of ['vitest', 'eslint', 'nx', 'playwright-core', '@modelcontextprotocol/inspector']) expect(names).not.toContain(dev);
    const licences = new Map(locked.map(([place, entry]) => [`${nameOf(place)}@${entry.version ?? ''}`, licenceOf(place, entry)]));
    for (const { name, version, purl, hashes } of shipped) {
      expect(purl, name).toMatch(/^pkg:npm\//);
      expect(hashes?.length, name).toBeGreaterThan(0);
      expect(isAllowed(licences.get(`${name}@${version}`) ?? '', permissive), `${name}@${version}: ${String(licences.get(`${name}@${version}`))}`).toBe(true);
    }
  }, 60_000);
});
