/** Runs one statement, inside the transaction it was given for. The rows are what the statement says they are: `Row` is a promise of its author. */
export type Sql = <Row extends object>(text: string, parameters?: readonly unknown[]) => Promise<Row[]>;
