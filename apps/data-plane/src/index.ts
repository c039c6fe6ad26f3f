export { dataPlaneSettings } from './environment.ts';
export { type DataPlaneOptions, type RunningDataPlane, startDataPlane } from './start-data-plane.ts';
export { isWorker, type RunningWorker, startWorker } from './workers/start-worker.ts';
export { type RunningWorkers, startWorkers } from './workers/start-workers.ts';
export { workerCount } from './workers/worker-settings.ts';
