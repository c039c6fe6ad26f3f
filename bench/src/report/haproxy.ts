import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchSecrets } from '../bench-secrets.ts';
import { pinned } from '../cores.ts';
import { freePort } from '../free-port.ts';
import type { Proxy } from '../nginx-proxy.ts';
import { RunningProcess } from '../running-process.ts';
import { samplePath } from '../sample-call.ts';
import type { Upstream } from '../upstream.ts';

/** HAProxy with the same task as nginx. @returns nothing where it is not installed */
export async function startHaproxy(folder: string, core: number | undefined, upstream: Upstream, secrets: BenchSecrets): Promise<Proxy | undefined> {
  if (spawnSync('haproxy', ['-v']).status !== 0) return undefined;
  const port = await freePort();
  const configuration = join(folder, 'haproxy.cfg');
  await writeFile(configuration, configurationOf(port, upstream, secrets), { mode: 0o600 });
  const process = new RunningProcess({ command: pinned(core, ['haproxy', '-db', '-f', configuration]), outputFile: join(folder, 'haproxy.log') });
  await process.until('haproxy', async () => (await fetch(`http://127.0.0.1:${port}/`)).status);
  return { name: 'haproxy', headers: { Authorization: secrets.authorization }, url: `http://127.0.0.1:${port}${samplePath}`, process };
}

const configurationOf = (port: number, upstream: Upstream, { authorization, upstreamKey }: BenchSecrets): string => `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend callers
  bind 127.0.0.1:${port} backlog 1024
  acl known req.hdr(authorization) -m str "${authorization}"
  http-request deny deny_status 401 unless known
  http-request del-header authorization
  http-request set-header X-API-Key "${upstreamKey}"
  http-request set-path /mcp
  default_backend target
backend target
  http-reuse always
  server upstream ${new URL(upstream.origin).host}
`;
