import { isObject } from '../json-value.ts';
import type { ParameterStyle } from '../api-operation.ts';
import { percentEncode } from './percent-encode.ts';
import { type Encode, joined, styledValue, textOfValue } from './expand-value.ts';

export interface QueryStyle {
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly encode: Encode;
}

/** Between the entries of a list that is one parameter; encoded, since neither a space nor a bar may stand in a query (RFC 3986 section 3.4). */
const separators: Readonly<Partial<Record<ParameterStyle, string>>> = { form: ',', spaceDelimited: '%20', pipeDelimited: '%7C' };

/** `name=value` as many times as the value needs (OpenAPI 3.1.1 section 4.8.12.3). */
export function queryPairs(name: string, value: unknown, { style, explode, encode }: QueryStyle): string[] {
  if (style === 'deepObject') return deepPairs(percentEncode(name), value, encode, 0);
  const styled = styledValue(value);
  if (styled === undefined) return [];
  const key = percentEncode(name);
  if ('text' in styled) return [`${key}=${encode(styled.text)}`];
  if (!explode) return [`${key}=${joined(styled, false, separators[style] ?? ',', encode)}`];
  if ('list' in styled) return styled.list.map((text) => `${key}=${encode(text)}`);
  return styled.members.map(([member, text]) => `${percentEncode(member)}=${encode(text)}`);
}

const unsayable: Readonly<Partial<Record<ParameterStyle, string>>> = { spaceDelimited: ' ', pipeDelimited: '|' };

/** What a value has in it that would arrive as the end of an entry: those separators are encoded themselves (OpenAPI 3.1.1 appendix E.4). */
export function separatorWithin(value: unknown, { style, explode }: Pick<QueryStyle, 'style' | 'explode'>): string | undefined {
  const separator = explode ? undefined : unsayable[style];
  const styled = separator === undefined ? undefined : styledValue(value);
  if (separator === undefined || styled === undefined || 'text' in styled) return undefined;
  const texts = 'list' in styled ? styled.list : styled.members.flat();
  return texts.some((text) => text.includes(separator)) ? separator : undefined;
}

const maxDepth = 20;

/** `name[key]=value`; what lies deeper the same way again, lists by index, as those that read it do (the specification leaves it open). */
function deepPairs(key: string, value: unknown, encode: Encode, depth: number): string[] {
  if (value === null || value === undefined) return [];
  if (depth < maxDepth && Array.isArray(value)) return value.flatMap((entry, index) => deepPairs(`${key}%5B${index}%5D`, entry, encode, depth + 1));
  if (depth < maxDepth && isObject(value)) return Object.entries(value).flatMap(([name, member]) => deepPairs(`${key}%5B${percentEncode(name)}%5D`, member, encode, depth + 1));
  return [`${key}=${encode(textOfValue(value))}`];
}
