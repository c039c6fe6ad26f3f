import type { StartedGateway } from '../up/start-gateway.ts';
import type { InstanceSecrets } from '../up/instance-secrets.ts';
import { createRestClient } from '../gateway/rest-client.ts';
import { waitForRevision } from '../up/wait-until-served.ts';
import { demoKeyOf } from './demo-key.ts';
import { startDemoUpstream } from './demo-upstream.ts';
import { findDemoServer, registerDemoServer } from './register-demo-server.ts';

/** Starts the demo upstream, registers it where that is not done yet, and waits until it is served. @returns how to close it */
export async function startDemo(gateway: StartedGateway, secrets: InstanceSecrets): Promise<() => Promise<void>> {
  const key = demoKeyOf(secrets.vaultKey);
  const rest = createRestClient({ url: gateway.controlPlaneUrl, token: secrets.adminToken });
  const known = await findDemoServer(rest);
  // At the port of last time, nothing has to be changed.
  const upstream = await startDemoUpstream({ key, preferredPort: known?.port });
  try {
    const revision = await registerDemoServer(rest, known, { url: upstream.url, key });
    await waitForRevision(gateway.dataPlaneInternalUrl, revision);
  } catch (error) {
    await upstream.close();
    throw error;
  }
  return () => upstream.close();
}
