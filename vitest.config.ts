import { defineConfig } from 'vitest/config';

/** `npm run deploy`: a machine with nothing but Node has not what they need. */
export const needDeployTools = ['alerts', 'compose', 'image', 'install-tools', 'kubernetes'].map((name) => `test/deploy/${name}.spec.ts`);

/** They search the memory of their process: it has to be theirs alone, or it takes minutes, in which sessions run into their timeouts. */
const searchMemory = ['test/data-plane/bridge-memory.spec.ts'];

/** Of what hangs. A machine that is busy is no failure. */
const time = { testTimeout: 120_000, hookTimeout: 180_000, setupFiles: ['test/support/be-patient.ts'], expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'specs',
          include: ['apps/*/src/**/*.spec.ts', 'libs/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
          // npm run faults
          exclude: ['**/node_modules/**', 'test/faults/**', ...searchMemory, ...needDeployTools],
          // Modules are loaded once per worker, not once per file, which is most of the time of small specs. So none keeps state of a spec's.
          isolate: false,
          ...time,
        },
      },
      { test: { name: 'in a process of its own', include: searchMemory, isolate: true, ...time } },
    ],
  },
});
