/** From a value to its place. */
export interface Scale {
  readonly at: (value: number) => number;
  /** Where lines of the grid go. */
  readonly ticks: readonly number[];
}

/** From zero to a round number at or above the largest value. */
export function linearScale(largest: number, length: number): Scale {
  const step = stepFor(largest);
  const top = Math.max(1, Math.ceil(largest / step - 1e-9)) * step;
  return { at: (value) => (value / top) * length, ticks: Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step) };
}

/** Whole powers of ten, from at or below the smallest value to at or above the largest; all are above zero. */
export function logarithmicScale(smallest: number, largest: number, length: number): Scale {
  const from = Math.floor(Math.log10(smallest) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(largest) - 1e-9));
  return { at: (value) => ((Math.log10(value) - from) / (to - from)) * length, ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)) };
}

/** 1, 2 or 5 times a power of ten, so that there are three to six of them. */
function stepFor(largest: number): number {
  if (!(largest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest / 3));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => largest / step <= 6) ?? 10 * power;
}
