/**
 * The names of parameters that servers read in one pair of a query, in lower case: as the URL Standard has it, after a semicolon, which
 * some take for an ampersand, and without what some cut off (blanks around it, and a bracket with what follows).
 */
export function queryNamesOf(pair: string): string[] {
  return pair.split(';').flatMap((piece) => {
    const name = new URLSearchParams(piece).keys().next().value?.toLowerCase() ?? '';
    return [name, (name.split('[', 1)[0] as string).trim()];
  });
}

/** The pairs of a query that set nothing that is set already. */
export function withoutNames(query: string, names: ReadonlySet<string>): string[] {
  return query.split('&').filter((pair) => pair !== '' && !queryNamesOf(pair).some((name) => names.has(name)));
}

/** In lower case. */
export const namesInQuery = (query: string): Set<string> => new Set(query.split('&').filter((pair) => pair !== '').flatMap(queryNamesOf));
