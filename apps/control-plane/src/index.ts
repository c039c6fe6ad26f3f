export { migrate, type MigrateOptions } from './database/migrate.ts';
export { controlPlaneSettings } from './environment.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './start-control-plane.ts';
export type { DataKeys } from './vault/data-key.dto.ts';
export type { Explanation } from './servers/explain/explanation.ts';
