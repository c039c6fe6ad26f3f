import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startGatehouse, type GatehouseOptions, type GatehouseProcess } from './gatehouse-process.ts';
import { stopOrphanedPostgres } from './orphaned-postgres.ts';

export interface RunningGatehouse extends GatehouseProcess {
  dataDir: string;
  /** Creates a server in the workspace `default` and resolves when the data plane serves it. */
  addServer(document: Record<string, unknown> & { name: string }): Promise<ServerUrls>;
  /** Stops the process and removes its data. */
  close(): Promise<void>;
}

export interface ServerUrls {
  mcp: string;
  sse: string;
}

/** `gatehouse up` on free ports, with a data directory that is removed at the end. */
export async function startUp(options: GatehouseOptions & { demo?: boolean } = {}): Promise<RunningGatehouse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const ports = ['--control-plane-port', '0', '--data-plane-port', '0'];
  const flags = options.demo === true ? ['--json', '--demo'] : ['--json'];
  const remove = async (): Promise<void> => {
    await stopOrphanedPostgres(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const gatehouse = await startGatehouse(['up', '--data-dir', dataDir, ...ports, ...flags], options);
    return {
      ...gatehouse,
      dataDir,
      addServer: (document) => addServer(gatehouse, document),
      close: async () => {
        await gatehouse.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function addServer(gatehouse: GatehouseProcess, document: { name: string }): Promise<ServerUrls> {
  const { status, body } = await gatehouse.admin.post('/v1/workspaces/default/servers', document);
  if (status !== 201) throw new Error(`creating the server ${document.name} failed: ${status} ${JSON.stringify(body)}`);
  const urls = {
    mcp: `${gatehouse.dataPlaneUrl}/mcp/default/${document.name}`,
    sse: `${gatehouse.dataPlaneUrl}/sse/default/${document.name}`,
  };
  await untilServed(urls.mcp);
  return urls;
}

/**
 * The data plane follows by itself and tells nobody, so it is asked: a body that is no JSON is refused (415) where the
 * server is known, before the upstream hears of it, and a caller it does not know is refused even earlier (401).
 */
async function untilServed(url: string): Promise<void> {
  for (;;) {
    const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'served?' });
    const text = await reply.text();
    if (reply.status === 415 || reply.status === 401) return;
    if (!/server_not_found|not_ready/.test(text)) throw new Error(`${url} answered ${reply.status}: ${text}`);
    await pause(10);
  }
}
