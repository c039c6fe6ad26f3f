/* As much of SVG as the report's picture needs. */

type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escapeXml(value)}"`).join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** @param classes of the picture's style; `end` and `middle` align */
export const label = (x: number, y: number, words: string, classes = ''): string => element('text', { x, y, ...(classes !== '' && { class: classes }) }, escapeXml(words));

export const line = (x1: number, y1: number, x2: number, y2: number, classes: string): string => element('line', { x1, y1, x2, y2, class: classes });

/** Drawn at (0, 0), moved to its place. */
export const group = (x: number, y: number, ...children: readonly string[]): string => element('g', { transform: `translate(${round(x)} ${round(y)})` }, ...children);

export const escapeXml = (words: string): string => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const round = (value: number): number => Math.round(value * 100) / 100;

/** Series, in this order; each has a colour that is told from the others in light, in dark, and by who sees no colours (with the marks of curves). */
export const seriesClasses = ['s0', 's1', 's2', 's3'] as const;
export type SeriesClass = (typeof seriesClasses)[number];

const inks = { light: { paper: '#ffffff', ink: '#1f2328', muted: '#59636e', grid: '#d8dee4', series: ['#1f6feb', '#bc4c00', '#1a7f5a', '#8250df'] }, dark: { paper: '#0d1117', ink: '#e6edf3', muted: '#9aa4ae', grid: '#30363d', series: ['#58a6ff', '#f0883e', '#3fb98a', '#bc8cff'] } } as const;

const rules = ({ paper, ink, muted, grid, series }: (typeof inks)['light' | 'dark']): string =>
  [
    `.paper{fill:${paper}}text{fill:${ink}}.muted{fill:${muted}}.note{stroke:${paper}}.grid{stroke:${grid}}`,
    ...series.map((colour, index) => `.f${index},.s${index}{fill:${colour}}.l${index}{stroke:${colour}}`),
  ].join('');

/** A whole picture, which follows the reader's light or dark. @param description for who cannot see it */
export function picture(width: number, height: number, title: string, description: string, ...children: readonly string[]): string {
  const style = [
    'text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}.title{font-size:20px;font-weight:600}.heading{font-size:14px;font-weight:600}.small{font-size:11px}',
    '.end{text-anchor:end}.middle{text-anchor:middle}.curve{fill:none;stroke-width:2}.grid{stroke-width:1}.note{paint-order:stroke;stroke-width:4px}.range{stroke-width:3;stroke-linecap:round}',
    rules(inks.light),
    `@media (prefers-color-scheme:dark){${rules(inks.dark)}}`,
  ].join('');
  const head = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' };
  return `${element('svg', head, element('title', {}, escapeXml(title)), element('desc', {}, escapeXml(description)), element('style', {}, style), element('rect', { class: 'paper', width, height, rx: 8 }), ...children)}\n`;
}
