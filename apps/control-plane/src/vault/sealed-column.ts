import type { SealingContext } from '@gatehouse/sealing';

interface Definition<Row> {
  readonly table: string;
  /** Column of the sealed values. */
  readonly sealed: string;
  /** Column of the key term of each. */
  readonly term: string;
  /** Where the database computes the term of the value. */
  readonly isTermGenerated?: boolean;
  /** Column that says whose key it is; absent: the gateway's own. */
  readonly workspace?: string;
  /** Columns that `context` needs. */
  readonly reads: readonly (keyof Row & string)[];
  /** Where a value belongs, as it was sealed for. */
  readonly context: (row: Row) => SealingContext;
}

/** A column of values that data keys seal. */
export type SealedColumn = Omit<Definition<never>, 'reads' | 'context'> & {
  readonly reads: readonly string[];
  readonly context: (row: Readonly<Record<string, unknown>>) => SealingContext;
};

/** @param definition `Row` is a promise of its author: the types of the columns in `reads` */
export const sealedColumn = <Row extends object>(definition: Definition<Row>): SealedColumn => ({
  ...definition,
  context: (row) => definition.context(row as Row),
});
