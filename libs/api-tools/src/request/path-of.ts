import { mayHaveDotSegment } from '@gatehouse/config-fields';
import type { Problem } from '@gatehouse/errors';
import type { ApiParameter } from '../api-operation.ts';
import { expandInPath, styledValue } from './expand-value.ts';
import { encodeLiteral, percentEncode } from './percent-encode.ts';

export type ProblemOf = (parameter: Pick<ApiParameter, 'argument'>, detail: string) => Problem;

/**
 * A path with its parameters. No value leaves its segment: a slash is encoded, as APIs with paths for ids want it, but nothing that
 * would lead to another path for an upstream that decodes it first and resolves dots then.
 */
export function pathOf(template: string, parameters: readonly ApiParameter[], valueOf: (parameter: ApiParameter) => unknown, problems: Problem[], problemOf: ProblemOf): string {
  const byName = new Map(parameters.flatMap((parameter) => (parameter.in === 'path' ? [[parameter.name, parameter] as const] : [])));
  return template
    .split('/')
    .map((segment) => {
      const used: ApiParameter[] = [];
      const expanded = segment.replace(/\{([^{}]+)\}|[^{}]+|[{}]/g, (literal, name: string | undefined) => {
        const parameter = name === undefined ? undefined : byName.get(name);
        if (parameter === undefined) return encodeLiteral(literal);
        used.push(parameter);
        const { text, problem } = expandParameter(parameter, valueOf(parameter));
        if (problem !== undefined) problems.push(problemOf(parameter, problem));
        return text;
      });
      const last = used.at(-1);
      if (last !== undefined && problems.length === 0 && (expanded === '' || mayHaveDotSegment(expanded))) problems.push(problemOf(last, 'must not be empty, and have no segment of dots: that would be another path'));
      return expanded;
    })
    .join('/');
}

function expandParameter({ name, style, explode, json }: ApiParameter, value: unknown): { text: string; problem?: string } {
  const styled = json === true && value !== undefined ? { text: JSON.stringify(value) } : styledValue(value);
  if (styled === undefined) return { text: '', problem: 'is required: it is part of the path' };
  const texts = 'text' in styled ? [styled.text] : 'list' in styled ? styled.list : styled.members.flat();
  if (texts.some((text) => !text.isWellFormed())) return { text: '', problem: 'is not well-formed Unicode' };
  if (texts.some((text) => isDots.test(text))) return { text: '', problem: 'must not be . or ..: that would be another path' };
  // A dot is never encoded (RFC 3986 section 2.3), and here it is what stands between entries.
  if (style === 'label' && explode && !('text' in styled) && texts.some((text) => text.includes('.'))) return { text: '', problem: 'must not have a dot in an entry: that is what stands between entries' };
  return { text: expandInPath(name, styled, style, explode, percentEncode) };
}

/** Also as an entry of a list, which somebody may take apart. */
const isDots = /^(?:\.|%2e){2}$/i;
