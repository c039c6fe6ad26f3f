import type { Credential } from '@gatehouse/app-auth';
import { obtainCredentials, type Probe } from './probe-upstream.ts';
import type { TestLog } from './test-log.ts';

/** A failure to obtain credentials is one of the step that would use them. @throws StepFailure, which is written already */
export async function obtainLogged(log: TestLog, probe: Probe): Promise<{ credentials: readonly Credential[]; obtainedMs: number }> {
  const startedAt = performance.now();
  try {
    return { credentials: await obtainCredentials(probe), obtainedMs: performance.now() - startedAt };
  } catch (error) {
    log.fail('authenticate', error, performance.now() - startedAt);
    throw error;
  }
}
