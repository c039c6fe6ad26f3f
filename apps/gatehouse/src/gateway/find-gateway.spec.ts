import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findControlPlane, findDataPlane } from './find-gateway.ts';
import { removeInstance, writeInstance } from './instance-file.ts';

const instance = { pid: process.pid, version: '0.1.0', controlPlaneUrl: 'http://127.0.0.1:1', dataPlaneUrl: 'http://127.0.0.1:2' };

let checkout: string;
let dataDir: string;
beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'gatehouse-find-'));
  dataDir = join(checkout, '.gatehouse');
  await mkdir(join(checkout, 'some', 'folder'), { recursive: true });
  await mkdir(dataDir);
  await writeInstance(dataDir, instance);
  await writeFile(join(dataDir, 'admin-token'), 'local\n');
});
afterEach(() => rm(checkout, { recursive: true }));

it('finds the instance of the nearest .gatehouse on the way up', async () => {
  const search = { environment: {}, from: join(checkout, 'some', 'folder') };
  expect(await findDataPlane(search)).toBe(instance.dataPlaneUrl);
  expect(await findControlPlane(search)).toEqual({ url: instance.controlPlaneUrl, token: 'local' });
});

it('prefers the environment, but not to a directory that was named', async () => {
  const environment = { GATEHOUSE_DATA_PLANE_URL: 'https://gateway.example/', GATEHOUSE_CONTROL_PLANE_URL: 'https://admin.example', GATEHOUSE_TOKEN: 'remote' };
  expect(await findDataPlane({ environment, from: checkout })).toBe('https://gateway.example');
  expect(await findControlPlane({ environment, from: checkout })).toEqual({ url: 'https://admin.example', token: 'remote' });
  expect(await findDataPlane({ environment, dataDir })).toBe(instance.dataPlaneUrl);
  expect(await findControlPlane({ environment, dataDir })).toEqual({ url: instance.controlPlaneUrl, token: 'local' });
});

it('never gives the local admin token to an address of the environment', async () => {
  const environment = { GATEHOUSE_CONTROL_PLANE_URL: 'https://admin.example' };
  await expect(findControlPlane({ environment, from: checkout })).rejects.toMatchObject({ exitCode: 78 });
});

it('does not believe the file of a process that was killed', async () => {
  await writeInstance(dataDir, { ...instance, pid: 2 ** 22 + 1 });
  await expect(findDataPlane({ environment: {}, from: checkout })).rejects.toThrow('is "gatehouse up" running?');
});

it('says so when nothing runs', async () => {
  await removeInstance(dataDir);
  await expect(findDataPlane({ environment: {}, from: checkout })).rejects.toThrow('is "gatehouse up" running?');
  await expect(findControlPlane({ environment: {}, dataDir: join(checkout, 'nowhere') })).rejects.toThrow('is "gatehouse up" running?');
});

it('refuses an address that is no URL', async () => {
  await expect(findDataPlane({ environment: { GATEHOUSE_DATA_PLANE_URL: 'localhost:3001' } })).rejects.toMatchObject({ exitCode: 78 });
});
