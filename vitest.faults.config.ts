import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { FaultReporter } from './test/support/fault-reporter.ts';

const report = process.env['GATEHOUSE_FAULT_REPORT'] ?? join(tmpdir(), `gatehouse-faults-${process.pid}.jsonl`);

// Faults under steady load, in their long form. The short ones run with everything else.
export default defineConfig({
  test: {
    include: ['test/faults/**/*.spec.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new FaultReporter(report)],
    env: { GATEHOUSE_FAULT_REPORT: report },
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 600_000,
    // Two of each plane and their stores begin anew for each file, on a machine that may have other things to do.
    hookTimeout: 300_000,
  },
});
