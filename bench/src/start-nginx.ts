import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pinned } from './cores.ts';
import { RunningProcess } from './running-process.ts';

export interface NginxOptions {
  readonly name: string;
  readonly folder: string;
  readonly core: number | undefined;
  readonly port: number;
  /** What stands inside `http { }`. */
  readonly http: string;
}

/** One nginx of one process, which is its only worker: nothing is left behind when the bench is broken off. */
export async function startNginx({ name, folder, core, port, http }: NginxOptions): Promise<RunningProcess> {
  const home = join(folder, name);
  await mkdir(home);
  const configuration = join(home, 'nginx.conf');
  await writeFile(configuration, frame(home, http));
  const command = pinned(core, ['nginx', '-c', configuration, '-p', home, '-e', 'stderr']);
  const nginx = new RunningProcess({ command, outputFile: join(folder, `${name}.log`) });
  await nginx.until(`nginx (${name})`, async () => (await fetch(`http://127.0.0.1:${port}/`)).status);
  return nginx;
}

const frame = (home: string, http: string): string => `
daemon off;
master_process off;
worker_processes 1;
pid ${home}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  default_type application/json;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  # A token is longer than what maps are made for.
  map_hash_bucket_size 4096;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join('\n  ')}
  ${http}
}
`;
