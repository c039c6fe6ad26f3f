import { createWriteStream } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, type Logger } from '@gatehouse/service-runtime';

export interface LogFile {
  readonly path: string;
  /** Of one role of the process, which stands on each of its lines. */
  readonly loggerOf: (role: string) => Logger;
  close(): Promise<void>;
}

const maxBytes = 20 * 1024 * 1024;

const levels = ['trace', 'debug', 'info', 'warn', 'error'];

/** Opens `gatehouse.log` of a data directory. What has grown too long is kept as `gatehouse.log.1`. */
export async function openLogFile(dataDirectory: string, wantedLevel = 'info'): Promise<LogFile> {
  // One that does not exist is refused with the other settings, by the planes.
  const level = levels.includes(wantedLevel) ? wantedLevel : 'info';
  const path = join(dataDirectory, 'gatehouse.log');
  const size = await stat(path).then((file) => file.size, () => 0);
  if (size > maxBytes) await rename(path, `${path}.1`);
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  // A full disk loses lines of the log, not the gateway.
  stream.on('error', () => undefined);
  return {
    path,
    loggerOf: (role) => createLogger({ level, role, destination: stream }),
    close: () => new Promise((resolve) => (stream.destroyed ? resolve() : stream.end(() => resolve()))),
  };
}
