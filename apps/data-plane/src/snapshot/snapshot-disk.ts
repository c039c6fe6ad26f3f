import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDocument, type SnapshotKeys } from '@gatehouse/gateway-config';
import { seal, unseal } from '@gatehouse/sealing';
import type { ChannelDocument, ChannelState } from '@gatehouse/snapshot-channel';
import type { Snapshot } from './current-snapshot.ts';

/*
 * The last known good: the manifest (state, and id, hash and length of every document), sealed, then the documents as they
 * were sealed by the control plane. The manifest's seal covers the set, each document's seal covers itself.
 * File: magic ‖ manifest length (4, big endian) ‖ manifest ‖ documents.
 */
const magic = Buffer.from('gatehouse-snapshot-1\n', 'latin1');
const context = ['snapshot-disk'] as const;
const names = ['snapshot', 'snapshot.previous'] as const;

/** Of some KB each. */
const documentsPerPiece = 500;

interface Manifest {
  readonly state: ChannelState;
  readonly documents: readonly (readonly [id: string, hash: string, bytes: number])[];
  /** Ids whose version of this state could not be used; absent in files of older releases. */
  readonly rejected?: readonly string[];
}

/** Writes a snapshot so that a crash at any moment leaves the one before (fsync, then rename); two are kept. */
export async function writeSnapshot(directory: string, keys: SnapshotKeys, snapshot: Snapshot): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, names[0]);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      // In pieces, with a turn for calls after each: as a whole, 100,000 documents would be in memory twice, and let calls wait meanwhile.
      await file.writeFile(encode(keys, snapshot));
      await file.sync();
    } finally {
      await file.close();
    }
    await keepAsPrevious(path, join(directory, names[1])).catch(ignoreMissing);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Its second name comes in one step, so that a crash leaves no half of it under that one either. Disks without links get a copy. */
async function keepAsPrevious(path: string, previous: string): Promise<void> {
  const temporary = `${previous}.${process.pid}.tmp`;
  try {
    await link(path, temporary).catch(async (error: unknown) => {
      if (isMissing(error)) throw error;
      await copyFile(path, temporary, constants.COPYFILE_FICLONE);
    });
    await rename(temporary, previous);
  } finally {
    // Where both are names of one file already, renaming does nothing, and leaves it (POSIX rename).
    await rm(temporary, { force: true });
  }
}

export interface SnapshotOnDisk {
  readonly state: ChannelState;
  readonly documents: readonly ChannelDocument[];
  readonly rejected: readonly string[];
}

/** Reads the newest snapshot that is whole; `onSkipped` is told of each one that is not. */
export async function readSnapshot(directory: string, keys: SnapshotKeys, onSkipped: (file: string, error: unknown) => void): Promise<SnapshotOnDisk | undefined> {
  for (const name of names) {
    try {
      return decode(keys, await readFile(join(directory, name)));
    } catch (error) {
      if (!isMissing(error)) onSkipped(name, error);
    }
  }
  return undefined;
}

/** Removes what a process that died while it wrote left behind. A process that still writes keeps its own. */
export async function removeUnfinished(directory: string): Promise<void> {
  for (const file of await readdir(directory).catch(() => [])) {
    const pid = Number(/^snapshot\.(?:previous\.)?(\d+)\.tmp$/.exec(file)?.[1]);
    if (pid === process.pid || (pid > 0 && !isRunning(pid))) await rm(join(directory, file), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** @returns the file, piece after piece */
function* encode(keys: SnapshotKeys, snapshot: Snapshot): Generator<Buffer> {
  const sources = [...snapshot.documents.entries()].map(([, { source }]) => source);
  const manifest: Manifest = { state: snapshot.state, documents: sources.map(({ id, hash, sealed }) => [id, hash, sealed.length]), rejected: snapshot.rejected };
  const sealedManifest = seal(keys.ring, context, JSON.stringify(manifest));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(sealedManifest.length);
  yield Buffer.concat([magic, length, sealedManifest]);
  for (let start = 0; start < sources.length; start += documentsPerPiece) yield Buffer.concat(sources.slice(start, start + documentsPerPiece).map(({ sealed }) => sealed));
}

function decode(keys: SnapshotKeys, file: Buffer): SnapshotOnDisk {
  if (!file.subarray(0, magic.length).equals(magic) || file.length < magic.length + 4) throw new Error('not a snapshot file');
  const start = magic.length + 4;
  const end = start + file.readUInt32BE(magic.length);
  const manifest = JSON.parse(unseal(keys.ring, context, file.subarray(start, end)).toString('utf8')) as Manifest;
  let offset = end;
  const documents = manifest.documents.map(([id, hash, bytes]) => {
    const sealed = Buffer.from(file.subarray(offset, (offset += bytes)));
    // A damaged document makes the file one to skip: a part of a configuration is not a configuration.
    openDocument(keys, { id, hash, sealed });
    return { id, hash, sealed };
  });
  return { state: manifest.state, documents, rejected: manifest.rejected ?? [] };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
