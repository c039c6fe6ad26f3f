/** Where a merged list goes on: the cursors of those members that have more, by name. What is sealed of it is for the data plane. */
export type ListCursor = ReadonlyMap<string, string>;

export const writeCursor = (cursor: ListCursor): string => JSON.stringify([...cursor]);

/** @param text what `writeCursor` wrote */
export const readCursor = (text: string): ListCursor => new Map(JSON.parse(text) as [string, string][]);
