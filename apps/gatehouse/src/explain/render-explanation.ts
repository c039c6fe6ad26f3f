import type { Explanation } from '@gatehouse/control-plane';
import { printable, styled } from '../output.ts';
import { wrapText } from './wrap-text.ts';

type Verdict = Explanation['verdicts'][number];

const defaultWidth = 100;

/** What a person reads: what becomes of each header, what the upstream gets, where the token is, what to look at. */
export function renderExplanation(explanation: Explanation, width = defaultWidth): string {
  const { refused, tokens, warnings, assumptions } = explanation;
  return [
    ...renderVerdicts(explanation.verdicts.filter(({ action }) => action !== 'set'), width),
    ...(refused ? section('The gateway refuses the request', hanging(`${refused.status} ${refused.code}: ${refused.message}`, width)) : renderRequest(explanation)),
    ...section('Your token', tokens.length === 0 ? ['None of your headers is one of a token.'] : tokens.flatMap(({ detail }) => hanging(detail, width))),
    ...section('Warnings', warnings.flatMap(({ code, detail }) => hanging(`${code}: ${detail}`, width))),
    ...section('Taken for granted', assumptions.flatMap(({ detail }) => hanging(detail, width))),
  ].join('\n').trimEnd();
}

function renderVerdicts(verdicts: readonly Verdict[], width: number): string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map((verdict) => [printable(verdict.name), printable(outcomeOf(verdict)), verdict] as const);
  const nameWidth = widthOf(['Your header', ...rows.map(([name]) => name)]);
  const outcomeWidth = widthOf(['What happens', ...rows.map(([, outcome]) => outcome)]);
  const whyWidth = Math.max(30, width - nameWidth - outcomeWidth - 6);
  const line = (name: string, outcome: string, why: string) => `  ${name.padEnd(nameWidth)}  ${outcome.padEnd(outcomeWidth)}  ${why}`.trimEnd();
  return [
    styled('bold', line('Your header', 'What happens', 'Why')),
    ...rows.flatMap(([name, outcome, { action, explanation }]) => {
      const [first = '', ...others] = wrapText(printable(explanation), whyWidth);
      const head = line(name, outcome, first);
      return [action === 'dropped' ? head : styled('green', head), ...others.map((text) => line('', '', text))];
    }),
    '',
  ];
}

function outcomeOf({ name, action, reason, outgoingName = name }: Verdict): string {
  if (action === 'dropped') return reason === undefined ? 'dropped' : `dropped: ${reason}`;
  return action === 'kept' ? 'passes' : action === 'renamed' ? `leaves as ${outgoingName}` : `replaces ${outgoingName}`;
}

function renderRequest({ request, verdicts, credentials }: Explanation): string[] {
  if (!request) return [];
  const set = verdicts.filter(({ action }) => action === 'set');
  // What the caller sent goes by no rule of its own here: the table above has it.
  const rows = request.headers.map(({ name, value }) => [printable(name), printable(value), set.find((verdict) => verdict.name === name)?.rule ?? ''] as const);
  const nameWidth = widthOf(rows.map(([name]) => name));
  const valueWidth = widthOf(rows.map(([, value]) => value));
  const inQuery = credentials.filter(({ location }) => location.in === 'query').map(({ source }) => source);
  return section('The upstream gets', [
    `${request.method} ${printable(request.url)}${inQuery.length === 0 ? '' : `  ${styled('dim', inQuery.join(', '))}`}`,
    ...rows.map(([name, value, rule]) => `${name.padEnd(nameWidth)}  ${rule === '' ? value : `${value.padEnd(Math.min(valueWidth, 40))}  ${styled('dim', rule)}`}`),
  ]);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`  ${styled('bold', title)}`, ...lines.map((line) => `    ${line}`), ''];
}

function hanging(text: string, width: number): string[] {
  return wrapText(printable(text), Math.max(40, width - 6)).map((line, index) => (index === 0 ? line : `  ${line}`));
}

const widthOf = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
