export { dataPlaneSettings } from './environment.ts';
export { type DataPlaneOptions, type RunningDataPlane, startDataPlane } from './start-data-plane.ts';
