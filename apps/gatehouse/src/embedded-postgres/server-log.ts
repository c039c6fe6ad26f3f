import { chown, open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { lastLines } from './embedded-postgres-error.ts';
import type { ServerUser } from './server-user.ts';

const MAX_BYTES = 10 * 1024 * 1024;

export interface ServerLog {
  /** For the server to write to. */
  readonly file: FileHandle;
  /** The last lines written since it was opened. */
  tail(): Promise<string>;
}

/** Opens the log for appending, emptied first when it has grown beyond 10 MB. */
export async function openServerLog(path: string, { uid, gid }: ServerUser): Promise<ServerLog> {
  const file = await open(path, 'a+', 0o600);
  const { size } = await file.stat();
  const start = size > MAX_BYTES ? 0 : size;
  if (start !== size) await file.truncate();
  // So that the data's owner can later start it without root.
  if (uid !== undefined) await chown(path, uid, gid);

  return { file, tail: () => readTail(path, start) };
}

async function readTail(path: string, start: number): Promise<string> {
  const { size } = await stat(path);
  const from = Math.max(start, size - 16_384);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - from), position: from });
    return lastLines(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}
