import { onAxis } from './numbers.ts';
import { linearScale, logarithmicScale } from './scale.ts';
import { element, group, label, line, type SeriesClass } from './svg.ts';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Written behind it. */
  readonly note: string;
  readonly series: SeriesClass;
}

export interface BarChart {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly width: number;
  /** Of it, as much as names take. */
  readonly nameWidth: number;
  /** Of it, as much as the longest note takes behind the longest bar. */
  readonly noteWidth: number;
}

export const rowHeight = 24;
const top = 28;

export const barChartHeight = (bars: number): number => top + bars * rowHeight + 20;

/** Bars from left to right, one under the other. */
export function drawBars({ title, bars, width, nameWidth, noteWidth }: BarChart): string {
  const { at, ticks } = linearScale(Math.max(...bars.map(({ value }) => value)), width - nameWidth - noteWidth);
  const bottom = bars.length * rowHeight;
  return element(
    'g', {},
    label(0, 14, title, 'heading'),
    group(
      nameWidth, top,
      ...ticks.flatMap((tick) => [line(at(tick), 0, at(tick), bottom, 'grid'), label(at(tick), bottom + 14, onAxis(tick), 'small muted middle')]),
      ...bars.flatMap(({ name, value, note, series }, index) => [
        label(-8, index * rowHeight + 16, name, 'end'),
        element('rect', { class: series, x: 0, y: index * rowHeight + 4, width: Math.max(1, at(value)), height: rowHeight - 8, rx: 2 }),
        label(at(value) + 6, index * rowHeight + 16, note, 'small muted note'),
      ]),
    ),
  );
}

export interface Range {
  readonly from: number;
  readonly to: number;
  readonly series: SeriesClass;
}

/** For each row of a bar chart beside it, from where to where something is; of a row without, nothing. Powers of ten. */
export function drawRanges(title: string, ranges: readonly (Range | undefined)[], width: number): string {
  const known = ranges.filter((range) => range !== undefined);
  const { at, ticks } = logarithmicScale(Math.min(...known.map(({ from }) => from)), Math.max(...known.map(({ to }) => to)), width);
  const bottom = ranges.length * rowHeight;
  return element(
    'g', {},
    label(0, 14, title, 'heading'),
    group(
      0, top,
      ...ticks.flatMap((tick) => [line(at(tick), 0, at(tick), bottom, 'grid'), label(at(tick), bottom + 14, onAxis(tick), 'small muted middle')]),
      ...ranges.flatMap((range, index) => (range === undefined ? [] : drawRange(range, at, index * rowHeight + rowHeight / 2))),
    ),
  );
}

function drawRange({ from, to, series }: Range, at: (value: number) => number, y: number): string[] {
  return [
    line(at(from), y, at(to), y, `range l${series.slice(1)}`),
    element('circle', { class: series, cx: at(from), cy: y, r: 4.5 }),
    element('circle', { class: series, cx: at(to), cy: y, r: 2.5 }),
  ];
}
