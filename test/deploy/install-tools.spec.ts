import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { toolLists } from './deploy-tools.ts';
import { installTools, ToolsUnavailable } from './install-tools.ts';

/** Of Python and of Node. What every registry has is there, and nothing else. */
const registry: Server = createServer((request, response) => {
  if (request.url === '/simple/pip/') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="pip-99.0-py3-none-any.whl">pip-99.0-py3-none-any.whl</a>');
  if (request.url === '/npm') return void response.end(JSON.stringify({ name: 'npm', 'dist-tags': { latest: '99.0.0' }, versions: { '99.0.0': { name: 'npm', version: '99.0.0' } } }));
  response.writeHead(404).end('{}');
});
/** Where nothing listens. */
const away = 'http://127.0.0.1:9';

let answering: string;
let place: string;

beforeAll(async () => {
  answering = `http://127.0.0.1:${await listenOnLoopback(registry)}`;
  place = await mkdtemp(join(tmpdir(), 'gatehouse-install-tools-'));
});
afterAll(async () => {
  await closeHttpServer(registry);
  await rm(place, { recursive: true, force: true });
});

interface Machine {
  /** Whose registry is there. */
  readonly reaches?: 'pip' | 'npm';
  /** Shell scripts in the place of this machine's programs. */
  readonly programs: Readonly<Record<string, string>>;
}

const fine = { python3: 'exit 0', npm: 'exit 0', promtool: 'exit 0' };
const { python3, npm, promtool } = fine;
const withoutPromtool = { ...fine, promtool: 'exit 127' };
let machines = 0;

it.each<[what: string, machine: Machine, outcome: 'installed' | 'unavailable' | 'wrong']>([
  ['every program does what it should', { programs: fine }, 'installed'],
  ['there is no pip', { programs: { ...fine, python3: 'exit 1' } }, 'unavailable'],
  ['there is no npm', { programs: { ...fine, npm: 'exit 127' } }, 'unavailable'],
  ['pip reaches no registry', { programs: { npm, promtool } }, 'unavailable'],
  ['npm reaches no registry', { programs: { python3, promtool } }, 'unavailable'],
  ['pip’s registry has not what is asked for', { reaches: 'pip', programs: { npm, promtool } }, 'wrong'],
  ['npm’s registry has not what is asked for', { reaches: 'npm', programs: { python3, promtool } }, 'wrong'],
  ['one is wrong and another is away', { reaches: 'npm', programs: { promtool, python3: 'exit 1' } }, 'wrong'],
  ['there are no Debian packages', { programs: { ...withoutPromtool, 'apt-get': 'exit 100' } }, 'unavailable'],
  ['the package is not what it was', { programs: { ...withoutPromtool, 'apt-get': 'touch prometheus_2.deb' } }, 'wrong'],
])('%s', async (_, { reaches, programs }, outcome) => {
  const [cache, bin] = [join(place, `${++machines}/cache`), join(place, `${machines}/bin`)];
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const registries = { PIP_INDEX_URL: `${reaches === 'pip' ? answering : away}/simple`, npm_config_registry: reaches === 'npm' ? answering : away };
  const env = { ...process.env, ...registries, PATH: `${bin}:${process.env['PATH'] ?? ''}`, PIP_RETRIES: '0', npm_config_fetch_retries: '0', npm_config_cache: join(place, 'npm') };
  const installed = installTools({ folder: join(cache, 'tools'), lists: toolLists, env });
  expect(await installed.then(() => 'installed', (error: unknown) => (error instanceof ToolsUnavailable ? 'unavailable' : 'wrong'))).toBe(outcome);
  expect(await readdir(cache)).toEqual(outcome === 'installed' ? ['tools'] : []);
});
