import { randomBytes, randomInt } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, realpath, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatIdentity, isAlive, isOfOwnWorld, ownIdentity, parseIdentity } from './embedded-postgres/process-identity.ts';
import type { ProcessIdentity } from './embedded-postgres/process-identity.ts';

/** A data directory that belongs to this process until `close`. */
export interface DataDirectory {
  /** Absolute, symbolic links resolved. */
  readonly path: string;
  readonly close: () => Promise<void>;
}

export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
  readonly code = 'data_directory_in_use';
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(`the data directory ${path} is in use by process ${pid}: stop that one, or give this one a directory of its own`);
    this.pid = pid;
  }
}

const LOCK_PREFIX = 'lock.';
const HEARTBEAT_MS = 1_000;
const HEARTBEAT_PATIENCE_MS = 4_000;
const ATTEMPTS = 6;

/**
 * Creates the directory (mode 700) if it is missing and claims it, or throws `DataDirectoryInUse`.
 *
 * Each process announces itself by a file that carries its own identity in its name, and only then looks for others: of two
 * starters at least one sees the other. A dead process's file can be removed at any time, since its name is nobody else's:
 * there is no lock to be stolen from somebody who has just taken it over.
 */
export async function claimDataDirectory(path = '.gatehouse'): Promise<DataDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const directory = await realpath(path);
  const lock = join(directory, `${LOCK_PREFIX}${formatIdentity(ownIdentity())}`);

  for (let attempt = 1; ; attempt += 1) {
    await announce(lock, directory);
    const holder = await findOtherHolder(directory).catch(async (error: unknown) => {
      await rm(lock, { force: true });
      throw error;
    });
    if (holder === undefined) return hold(directory, lock);

    await rm(lock, { force: true });
    if (attempt === ATTEMPTS) throw new DataDirectoryInUse(directory, holder.pid);
    // The other may be a starter that has seen us, and withdraws as well.
    await delay(randomInt(10, 60));
  }
}

async function announce(lock: string, directory: string): Promise<void> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new DataDirectoryInUse(directory, process.pid);
  }
}

async function findOtherHolder(directory: string): Promise<ProcessIdentity | undefined> {
  for (const file of await readdir(directory)) {
    const identity = file.startsWith(LOCK_PREFIX) ? parseIdentity(file.slice(LOCK_PREFIX.length)) : undefined;
    if (identity === undefined || formatIdentity(identity) === formatIdentity(ownIdentity())) continue;

    const lock = join(directory, file);
    if (isOfOwnWorld(identity) ? isAlive(identity) : await hasHeartbeat(lock)) return identity;
    await rm(lock, { force: true });
  }
  return undefined;
}

/** Two containers on one volume see each other's pids as nothing; what they both see is the lock's modification time. */
async function hasHeartbeat(lock: string): Promise<boolean> {
  const first = await modifiedAt(lock);
  for (let waitedMs = 0; waitedMs < HEARTBEAT_PATIENCE_MS; waitedMs += 100) {
    await delay(100);
    const current = await modifiedAt(lock);
    if (current === undefined) return false;
    if (current !== first) return true;
  }
  return false;
}

async function modifiedAt(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}

function hold(directory: string, lock: string): DataDirectory {
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock that somebody removed is not brought back, and is no reason to stop.
    utimes(lock, now, now).catch(() => undefined);
  }, HEARTBEAT_MS).unref();

  return {
    path: directory,
    async close() {
      clearInterval(heartbeat);
      await rm(lock, { force: true });
    },
  };
}

/**
 * Returns the file's text without white space around it; a missing file is made first, mode 600. It appears complete and on disk or
 * not at all, and of two that make it at once both get the one that was kept.
 */
export async function readOrCreateSecretFile(path: string, makeValue: () => string): Promise<string> {
  const value = (await readIfThere(path)) ?? (await createSecretFile(path, makeValue()));
  if (value === '') throw new Error(`${path} is empty; remove it to have it made again`);
  return value;
}

async function createSecretFile(path: string, value: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${value}\n`);
    await file.sync();
    // Unlike rename, link leaves a file alone that is there already.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
