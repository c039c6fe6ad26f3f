import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { readSettings } from '@gatehouse/service-runtime';
import { expect, it } from 'vitest';
import { dataPlaneSettings } from '../environment.ts';
import { peerPortOf, settingsOfWorker, workerCount } from './worker-settings.ts';

it.each([
  [undefined, 1],
  ['1', 1],
  ['12', 12],
  ['0', availableParallelism()],
  ['auto', availableParallelism()],
])('GATEHOUSE_WORKERS=%s is %d', (text, count) => {
  expect(workerCount({ GATEHOUSE_WORKERS: text })).toBe(count);
});

it.each(['-1', '1.5', 'all', '1000'])('GATEHOUSE_WORKERS=%s is refused', (text) => {
  expect(() => workerCount({ GATEHOUSE_WORKERS: text })).toThrowError(expect.objectContaining({ code: 'invalid_setting' }));
});

it('a worker has a name, a folder and a port that are the same when it is started again', () => {
  const settings = readSettings(dataPlaneSettings, {
    GATEHOUSE_SNAPSHOT_KEY: randomBytes(32).toString('hex'), GATEHOUSE_DATA_PLANE_ID: 'pod', GATEHOUSE_SNAPSHOT_DIR: '/var/lib/gatehouse', GATEHOUSE_WORKER_PEER_PORT: '3011',
  });
  expect(settingsOfWorker(settings, 2)).toEqual({ GATEHOUSE_WORKER: '2', GATEHOUSE_DATA_PLANE_ID: 'pod-2', GATEHOUSE_SNAPSHOT_DIR: '/var/lib/gatehouse/worker-2' });
  expect([1, 2].map((worker) => peerPortOf(settings, worker))).toEqual([3011, 3012]);
  expect(peerPortOf({ ...settings, WORKER_PEER_PORT: 0 }, 2)).toBe(0);
});
