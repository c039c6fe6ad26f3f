import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { createMemoryChannel } from '@gatehouse/snapshot-channel';
import { sampleServer } from '../../apps/control-plane/src/spec-support/sample-server.ts';
import { startTestControlPlane, type TestControlPlane, testEnvironment } from '../../apps/control-plane/src/spec-support/start-test-control-plane.ts';
import { providerDocument, ana, ben } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { listenOnLoopback } from './listen.ts';
import { startTestPostgres } from './postgres.ts';

export interface RunningAuthorizationServer {
  /** Where it is, and its issuer. */
  readonly url: string;
  readonly plane: TestControlPlane;
  readonly databaseUrl: string;
  readonly provider: IdentityProvider;
  /** The resource indicator of the one interactive server. */
  readonly resource: string;
  close(): Promise<void>;
}

/** A port that was free a moment ago, for whoever has to know it before it listens; below those that systems give out by themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const candidate = randomInt(20_000, 30_000);
    const taken = await listenOnLoopback(server, candidate).catch(() => undefined);
    if (taken === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return taken;
  }
}

/** A control plane that is where it says it is, with an organisation's provider and the interactive server `orders`. */
export async function startAuthorizationServer(): Promise<RunningAuthorizationServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const postgres = await startTestPostgres();
  const provider = await startIdentityProvider({ redirectUris: [`${url}/login/callback/corp`], people: [ana, ben] });
  const databaseUrl = await postgres.createDatabase();
  const environment = {
    ...testEnvironment(databaseUrl),
    GATEHOUSE_CONTROL_PLANE_URL: url, GATEHOUSE_CONTROL_PLANE_PORT: String(port), GATEHOUSE_EGRESS_ALLOWED_RANGES: 'loopback',
  };
  const plane = await startTestControlPlane({ environment, channel: createMemoryChannel() });
  for (const [path, body] of [['/v1/identity-providers', providerDocument(provider)], ['/v1/workspaces/default/servers', sampleServer('orders', { agentAuth: { type: 'interactive' } })]] as const) {
    const { status, text } = await plane.send('POST', path, { body });
    if (status !== 201) throw new Error(text);
  }
  return {
    url, plane, databaseUrl, provider,
    resource: 'https://gateway.example/mcp/default/orders',
    close: async () => {
      await plane.close();
      await provider.close();
      await postgres.close();
    },
  };
}
