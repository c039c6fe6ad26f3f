import { onAxis } from './numbers.ts';
import { linearScale, logarithmicScale, type Scale } from './scale.ts';
import { element, group, label, line, seriesClasses } from './svg.ts';

export interface Curve {
  readonly name: string;
  /** From left to right. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface CurveChart {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
  readonly width: number;
  readonly height: number;
  /** Of x: powers of ten; else one place for each value. */
  readonly logarithmicX?: boolean;
  readonly logarithmicY?: boolean;
}

const margin = { left: 44, right: 12, top: 44, bottom: 24 };

/** Curves over an axis, each with a mark of its own shape. */
export function drawCurves({ title, unit, curves, width, height, logarithmicX = false, logarithmicY = false }: CurveChart): string {
  const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))].toSorted((left, right) => left - right);
  const ys = curves.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const x = logarithmicX ? { ...logarithmicScale(Math.min(...xs), Math.max(...xs), plot.width), ticks: xs } : placesOf(xs, plot.width);
  const y = logarithmicY ? logarithmicScale(Math.min(...ys), Math.max(...ys), plot.height) : linearScale(Math.max(...ys), plot.height);
  const up = (value: number): number => plot.height - y.at(value);
  return element(
    'g', {},
    label(0, 14, `${title}, ${unit}`, 'heading'),
    ...legend(curves),
    group(
      margin.left, margin.top,
      ...y.ticks.flatMap((tick) => [line(0, up(tick), plot.width, up(tick), 'grid'), label(-6, up(tick) + 4, onAxis(tick), 'small muted end')]),
      ...x.ticks.map((tick) => label(x.at(tick), plot.height + 16, onAxis(tick), 'small muted middle')),
      ...curves.flatMap(({ points }, index) => [
        element('path', { class: `curve l${index}`, d: points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${up(py).toFixed(1)}`).join('') }),
        ...points.map(([px, py]) => mark(index, x.at(px), up(py))),
      ]),
    ),
  );
}

const placesOf = (values: readonly number[], length: number): Scale => ({ at: (value) => (values.length < 2 ? length / 2 : (values.indexOf(value) / (values.length - 1)) * length), ticks: values });

function legend(curves: readonly Curve[]): string[] {
  let x = 0;
  return curves.flatMap(({ name }, index) => {
    const at = x;
    // A letter is about six wide.
    x += 26 + name.length * 6;
    return [mark(index, at + 5, 26), label(at + 13, 30, name, 'small muted')];
  });
}

/** Circle, square, triangle, diamond. */
function mark(index: number, x: number, y: number): string {
  const seriesClass = seriesClasses[index % seriesClasses.length] ?? seriesClasses[0];
  const path = [`M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`, `M${x - 3.5} ${y - 3.5}h7v7h-7z`, `M${x} ${y - 4.5}l4.5 8h-9z`, `M${x} ${y - 5}l5 5l-5 5l-5 -5z`][index % seriesClasses.length] ?? '';
  return element('path', { class: seriesClass, d: path });
}
