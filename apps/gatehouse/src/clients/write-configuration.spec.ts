import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, lstat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mcpClients } from './connect.ts';
import { writeConfiguration } from './write-configuration.ts';

const servers = [{ name: 'demo', url: 'http://127.0.0.1:3001/mcp/default/demo', needsKey: false }];
const { claude } = mcpClients;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-connect-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('makes the file and its folder', async () => {
  const file = join(folder, '.cursor', 'mcp.json');
  expect(await writeConfiguration(claude, file, servers)).toEqual({ isChanged: true });
  expect(await readFile(file, 'utf8')).toContain(servers[0]?.url);
});

it('keeps the file as it was, and its mode', async () => {
  const file = join(folder, 'mcp.json');
  await writeFile(file, '{"mine": true}');
  await chmod(file, 0o640);
  const { backup } = await writeConfiguration(claude, file, servers);
  expect(await readFile(backup ?? '', 'utf8')).toBe('{"mine": true}');
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await writeConfiguration(claude, file, servers)).toEqual({ isChanged: false });
  expect(await readdir(folder)).toHaveLength(2);
});

it('writes through a link', async () => {
  await writeFile(join(folder, 'real.json'), '{}');
  await symlink('real.json', join(folder, 'mcp.json'));
  await writeConfiguration(claude, join(folder, 'mcp.json'), servers);
  expect((await lstat(join(folder, 'mcp.json'))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(folder, 'real.json'), 'utf8')).toContain('demo');
});

it('does not touch what it cannot read, and names the file', async () => {
  const file = join(folder, 'mcp.json');
  await writeFile(file, '{ /* mine */ }');
  await expect(writeConfiguration(claude, file, servers)).rejects.toThrow(`${file} is not changed`);
  expect(await readdir(folder)).toEqual(['mcp.json']);
});
