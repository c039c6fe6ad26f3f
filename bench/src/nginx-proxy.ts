import type { BenchSecrets } from './bench-secrets.ts';
import { freePort } from './free-port.ts';
import type { RunningProcess } from './running-process.ts';
import type { LoadRequest } from './run-wrk.ts';
import { samplePath } from './sample-call.ts';
import { startNginx } from './start-nginx.ts';
import type { Upstream } from './upstream.ts';

/** Something that stands between caller and upstream, and does the gateway's work on the way. */
export interface Proxy {
  readonly name: string;
  readonly url: string;
  readonly process: RunningProcess;
  /** What its caller sends besides the sample call's headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** What it is asked; absent: the sample call. */
  readonly request?: LoadRequest;
}

/**
 * nginx with the same task: it lets one caller in, by comparing one string, takes the caller's credential out and puts the
 * upstream's key in.
 */
export async function startNginxProxy(folder: string, core: number | undefined, upstream: Upstream, secrets: BenchSecrets): Promise<Proxy> {
  const port = await freePort();
  const http = `
  map $http_authorization $known_caller { default 0; "${secrets.authorization}" 1; }
  upstream target {
    server ${new URL(upstream.origin).host};
    keepalive 128;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      if ($known_caller = 0) { return 401; }
      proxy_pass http://target/mcp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_set_header X-API-Key "${secrets.upstreamKey}";
    }
  }`;
  const headers = { Authorization: secrets.authorization };
  return { name: 'nginx', headers, url: `http://127.0.0.1:${port}${samplePath}`, process: await startNginx({ name: 'proxy', folder, core, port, http }) };
}
