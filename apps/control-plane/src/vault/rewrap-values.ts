import { seal, sealedTerm, unseal, UnsealError } from '@gatehouse/sealing';
import type { Database } from '../database/database.ts';
import { lockRotation } from './key-rotation.store.ts';
import type { SealedColumn } from './sealed-column.ts';
import { firstPosition, readValues, replaceValues, type SealedValue } from './sealed-values.store.ts';
import type { Vault } from './vault.ts';

export interface RewrapScope {
  readonly column: SealedColumn;
  readonly workspaceId: string;
  readonly terms: readonly number[];
}

export interface RewrapOutcome {
  /** False: another replica is at it. */
  readonly isMine: boolean;
  readonly rewrapped: number;
  /** How many of each term no key opens where they are. They are left as they are, and their key with them. */
  readonly unreadable: ReadonlyMap<number, number>;
}

const batchSize = 200;

/**
 * One pass over the values of an owner in a column that old keys sealed: each is opened and sealed anew where it is. Batches are
 * transactions of their own, and what is done is no longer under the old keys: after a crash at any point the next pass goes on.
 */
export async function rewrapValues(database: Database, vault: Vault, scope: RewrapScope): Promise<RewrapOutcome> {
  const unreadable = new Map<number, number>();
  let rewrapped = 0;
  for (let after: string | undefined = firstPosition; after !== undefined; ) {
    const batch: Batch | undefined = await rewrapBatch(database, vault, scope, after);
    if (!batch) return { isMine: false, rewrapped, unreadable };
    rewrapped += batch.rewrapped;
    for (const { sealed } of batch.unreadable) unreadable.set(termOf(sealed, scope), (unreadable.get(termOf(sealed, scope)) ?? 0) + 1);
    after = batch.last;
  }
  return { isMine: true, rewrapped, unreadable };
}

interface Batch {
  readonly rewrapped: number;
  readonly unreadable: readonly SealedValue[];
  /** Undefined: there are no more. */
  readonly last: string | undefined;
}

function rewrapBatch(database: Database, vault: Vault, { column, workspaceId, terms }: RewrapScope, after: string): Promise<Batch | undefined> {
  return database.transaction(async (sql) => {
    if (!(await lockRotation(sql))) return undefined;
    const values = await readValues(sql, column, workspaceId, terms, after, batchSize);
    if (values.length === 0) return { rewrapped: 0, unreadable: [], last: undefined };
    const opening = await vault.openingRing(sql, workspaceId);
    const opened = values.map((value) => ({ value, plaintext: open(() => unseal(opening, column.context(value.row), value.sealed)) }));
    const unreadable = opened.flatMap(({ value, plaintext }) => (plaintext === undefined ? [value] : []));
    const readable = opened.flatMap(({ value, plaintext }) => (plaintext === undefined ? [] : [{ value, plaintext }]));
    // The lock of the active key before any of a row, as those who write values do it, and never the other way round.
    const sealing = readable.length === 0 ? undefined : await vault.sealingRing(sql, workspaceId, readable.length);
    const replaced = readable.flatMap(({ value, plaintext }) =>
      sealing === undefined ? [] : [{ position: value.position, before: value.sealed, after: seal(sealing, column.context(value.row), plaintext) }],
    );
    const rewrapped = sealing === undefined ? 0 : await replaceValues(sql, column, sealing.activeTerm, replaced);
    return { rewrapped, unreadable, last: values.length < batchSize ? undefined : values.at(-1)?.position };
  });
}

function open(unsealValue: () => Buffer): Buffer | undefined {
  try {
    return unsealValue();
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}

/** What is too damaged to name its term counts for the oldest. */
function termOf(sealed: Buffer, { terms }: RewrapScope): number {
  try {
    return sealedTerm(sealed);
  } catch {
    return terms[0] ?? 0;
  }
}
