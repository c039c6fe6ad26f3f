import { randomBytes } from 'node:crypto';
import { chmod, link, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshotKeysOf } from '@gatehouse/gateway-config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyChange, emptySnapshot, type Snapshot } from './current-snapshot.ts';
import { prepareDocuments } from './prepare-snapshot.ts';
import { readSnapshot, writeSnapshot } from './snapshot-disk.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { serverDocument, silentLogger, specKeys } from './spec-support.ts';

let directory: string;
let skipped: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-snapshot-'));
  skipped = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function snapshotOf(revision: number, ...ids: string[]): Promise<Snapshot> {
  const state = { revision, stamp: `stamp-${revision}` };
  const { prepared } = await prepareDocuments(specKeys, ids.map((id) => serverDocument(id)));
  return applyChange(emptySnapshot(state), { state, prepared, removed: [] });
}

const read = (keys = specKeys) => readSnapshot(directory, keys, (file) => void skipped.push(file));
const file = (): string => join(directory, 'snapshot');

describe('a snapshot on disk', () => {
  it('is read back whole, readable by nobody else', async () => {
    await writeSnapshot(directory, specKeys, await snapshotOf(3, 'a', 'b'));
    const kept = await read();
    expect(kept?.state).toEqual({ revision: 3, stamp: 'stamp-3' });
    expect(kept?.documents.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(skipped).toEqual([]);
  });

  it('holds no secret and no URL in clear text', async () => {
    await writeSnapshot(directory, specKeys, await snapshotOf(1, 'a'));
    const bytes = await readFile(file(), 'latin1');
    for (const text of ['stored', 'upstream.example', 'default', 'stamp-1']) expect(bytes).not.toContain(text);
  });

  it('leaves two files and no temporary one', async () => {
    for (const revision of [1, 2, 3]) await writeSnapshot(directory, specKeys, await snapshotOf(revision, 'a'));
    expect((await readdir(directory)).sort()).toEqual(['snapshot', 'snapshot.previous']);
  });

  it('is kept as the one before also where a crash left both names to one file', async () => {
    await writeSnapshot(directory, specKeys, await snapshotOf(1, 'a'));
    await link(file(), `${file()}.previous`);
    await writeSnapshot(directory, specKeys, await snapshotOf(2, 'a'));
    expect((await readdir(directory)).sort()).toEqual(['snapshot', 'snapshot.previous']);
    expect((await read())?.state.revision).toBe(2);
    await rm(file());
    expect((await read())?.state.revision).toBe(1);
    expect(skipped).toEqual([]);
  });

  it('is nothing where nothing was written, without a word', async () => {
    expect(await read()).toBeUndefined();
    expect(skipped).toEqual([]);
  });
});

describe('a damaged snapshot is skipped for the one before (fault 10)', () => {
  const bytesOf = async (): Promise<Buffer> => readFile(file());
  it.each<[string, () => Promise<unknown>]>([
    ['zero bytes', () => truncate(file(), 0)],
    ['truncated', async () => truncate(file(), (await bytesOf()).length - 5)],
    ['cut within its head', () => truncate(file(), 23)],
    ['a bit flipped in the manifest', async () => writeFile(file(), flip(await bytesOf(), 60))],
    ['a bit flipped in a document', async () => writeFile(file(), flip(await bytesOf(), -20))],
    ['something else altogether', () => writeFile(file(), 'hello')],
    ['a manifest that claims to be huge', async () => writeFile(file(), Buffer.concat([(await bytesOf()).subarray(0, 21), Buffer.from('ffffffff', 'hex')]))],
  ])('%s', async (_name, damage) => {
    await writeSnapshot(directory, specKeys, await snapshotOf(1, 'a'));
    await writeSnapshot(directory, specKeys, await snapshotOf(2, 'a'));
    await damage();
    expect((await read())?.state.revision).toBe(1);
    expect(skipped).toEqual(['snapshot']);
  });

  it('sealed under another key: none is used', async () => {
    await writeSnapshot(directory, specKeys, await snapshotOf(1, 'a'));
    expect(await read(snapshotKeysOf([randomBytes(32)]))).toBeUndefined();
    expect(skipped).toEqual(['snapshot']);
  });
});

describe('a disk that cannot be written (fault 11)', () => {
  it('is counted and does not throw', async () => {
    const blocked = join(directory, 'blocked');
    await writeFile(blocked, 'a file where the folder should be');
    await chmod(blocked, 0o400);
    const snapshot = await snapshotOf(1, 'a');
    const keeper = new SnapshotKeeper({ directory: blocked, keys: specKeys, logger: silentLogger(), current: () => snapshot });
    await keeper.flush();
    expect(keeper.failures).toBe(1);
  });

  it('is tried again by itself: what is served is kept once there is room', async () => {
    const blocked = join(directory, 'blocked');
    await writeFile(blocked, 'a file where the folder should be');
    const snapshot = await snapshotOf(1, 'a');
    const keeper = new SnapshotKeeper({ directory: blocked, keys: specKeys, logger: silentLogger(), current: () => snapshot, retryMs: 20 });
    keeper.schedule();
    await vi.waitFor(() => expect(keeper.failures).toBeGreaterThan(1), 10_000);
    await rm(blocked);
    await vi.waitFor(() => expect(keeper.writtenRevision).toBe(1), 10_000);
    expect((await readSnapshot(blocked, specKeys, () => undefined))?.state.revision).toBe(1);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 4;
  return bytes;
}
