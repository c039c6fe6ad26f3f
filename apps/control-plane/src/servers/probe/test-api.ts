import { before } from './network-steps.ts';
import { obtainLogged } from './obtain-logged.ts';
import type { ProbeStepName } from './probe-results.ts';
import { type Probe, withUpstream } from './probe-upstream.ts';
import { StepFailure } from './step-failure.ts';
import type { TestLog } from './test-log.ts';
import { describeCredentials } from './with-credentials.ts';

/** Of an API: it says nothing of itself, and its tools are the gateway's. */
export const apiSteps: readonly ProbeStepName[] = ['resolve', 'connect', 'tls', 'authenticate', 'list-tools'];

const maxNames = 20;

/** One GET of the base URL, with the credentials of a call: whatever changes something is left alone. */
export async function testApi(log: TestLog, probe: Probe): Promise<void> {
  const { server, signal } = probe;
  const { credentials } = await obtainLogged(log, probe);
  await withUpstream(probe, credentials, ({ exchanges }) =>
    log.step('authenticate', async () => {
      const response = await before(signal, exchanges.fetch(server.upstream.url, { headers: { Accept: 'application/json, */*;q=0.5' } }));
      await response.body?.cancel();
      const sent = describeCredentials(credentials, server);
      const answered = `The upstream answered HTTP ${response.status} to a GET of its base URL ${sent === '' ? 'without a credential' : `with ${sent}`}`;
      if (response.status >= 500) throw new StepFailure('upstream_failed', `${answered}.`, 'See the upstream’s own log.');
      if (response.ok) return { detail: `${answered}.` };
      return { detail: `${answered}: it is there, and does not refuse the credential.`, advice: 'Many APIs have nothing at their base URL. Whether a credential may do what a tool asks for shows when the tool is called.' };
    }),
  );
  await log.step('list-tools', () => Promise.resolve(listed(server.type === 'api' ? server.tools.operations.map(({ name }) => name) : [])));
}

function listed(names: readonly string[]): { detail: string; advice?: string } {
  if (names.length === 0) return { detail: 'The server has no tools.', advice: 'POST …/discover says what its import left out, and why.' };
  return { detail: `${names.length} ${names.length === 1 ? 'tool' : 'tools'}: ${names.slice(0, maxNames).join(', ')}${names.length > maxNames ? ', …' : ''}.` };
}
