import { defineConfig } from 'vitest/config';

/** `npm run deploy`: a machine with nothing but Node has not what they need. */
export const needDeployTools = ['alerts', 'compose', 'image', 'kubernetes'].map((name) => `test/deploy/${name}.spec.ts`);

export default defineConfig({
  test: {
    include: ['apps/*/src/**/*.spec.ts', 'libs/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
    // npm run faults
    exclude: ['**/node_modules/**', 'test/faults/**', ...needDeployTools],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Modules are loaded once per worker, not once per file, which is most of the time of small specs. So none keeps state of a spec's.
    isolate: false,
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 90_000,
  },
});
