export type ArgumentPlace = 'path' | 'query' | 'header' | 'body';

/** Something that becomes an argument: its name in the document, and where its value goes. */
export interface Unnamed {
  readonly name: string;
  readonly place: ArgumentPlace;
}

const maxLength = 64;

/**
 * Names of arguments, one for each, in order. Models are given tools whose arguments have names of letters, digits, `_`, `.` and `-`,
 * at most 64 of them; two that would be the same say where they go, and if that is not enough, are counted.
 */
export function nameArguments(unnamed: readonly Unnamed[]): string[] {
  const fit = unnamed.map(({ name }) => fitName(name));
  const counts = new Map<string, number>();
  for (const name of fit) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set<string>(fit.filter((name) => counts.get(name) === 1));
  const numbers = new Map<string, number>();
  return unnamed.map(({ place }, index) => {
    const name = fit[index] as string;
    if (counts.get(name) === 1) return name;
    const base = `${name.slice(0, maxLength - 12)}_${place}`;
    let free = base;
    while (taken.has(free)) {
      const number = (numbers.get(base) ?? 1) + 1;
      numbers.set(base, number);
      free = `${base}_${number}`;
    }
    taken.add(free);
    return free;
  });
}

function fitName(name: string): string {
  if (name === '__proto__') return 'proto';
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name;
  const fit = name.slice(0, 500).replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^_+|_+$/g, '').slice(0, maxLength);
  return fit === '' || fit === '__proto__' ? 'argument' : fit;
}
