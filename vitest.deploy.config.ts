import { defineConfig } from 'vitest/config';
import { needDeployTools } from './vitest.config.ts';

// What needs programs beyond Node: kubectl, Helm's code, hadolint, promtool, schemas. They are installed at the first use.
export default defineConfig({
  test: {
    include: [...needDeployTools],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/be-patient.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
