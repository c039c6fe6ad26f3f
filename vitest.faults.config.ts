import { defineConfig } from 'vitest/config';

// Faults under steady load, in their long form. The short ones run with everything else.
export default defineConfig({
  test: {
    include: ['test/faults/**/*.spec.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 90_000,
  },
});
