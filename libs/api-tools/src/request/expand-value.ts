import type { ParameterStyle } from '../api-operation.ts';
import { isObject } from '../json-value.ts';

/** A value as styles see it: text, a list of texts, or names and texts. What is null is not there (RFC 6570 section 2.3). */
export type StyledValue = { readonly text: string } | { readonly list: readonly string[] } | { readonly members: readonly (readonly [string, string])[] };

/** @returns `undefined` for what is not there */
export function styledValue(value: unknown): StyledValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    const list = value.filter((entry) => entry !== null && entry !== undefined).map(textOfValue);
    return list.length === 0 ? undefined : { list };
  }
  if (!isObject(value)) return { text: textOfValue(value) };
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return members.length === 0 ? undefined : { members: members.map(([key, member]) => [key, textOfValue(member)]) };
}

/** What styles have no form for, lists in lists and the like, is JSON (OpenAPI 3.1.1 section 4.8.12.2 leaves it open). */
export const textOfValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export type Encode = (text: string) => string;

/** `simple`, `label` and `matrix` (RFC 6570 sections 3.2.2, 3.2.5 and 3.2.7). */
export function expandInPath(name: string, value: StyledValue, style: ParameterStyle, explode: boolean, encode: Encode): string {
  if (style === 'matrix') return expandMatrix(encode(name), value, explode, encode);
  const separator = style === 'label' && explode ? '.' : ',';
  return `${style === 'label' ? '.' : ''}${joined(value, explode, separator, encode)}`;
}

/** `simple`, for paths and headers. */
export function joined(value: StyledValue, explode: boolean, separator: string, encode: Encode): string {
  if ('text' in value) return encode(value.text);
  if ('list' in value) return value.list.map(encode).join(separator);
  return value.members.map(([key, text]) => `${encode(key)}${explode ? '=' : separator}${encode(text)}`).join(separator);
}

function expandMatrix(name: string, value: StyledValue, explode: boolean, encode: Encode): string {
  const pair = (key: string, text: string): string => (text === '' ? `;${key}` : `;${key}=${text}`);
  if ('text' in value) return pair(name, encode(value.text));
  if (!explode) return pair(name, joined(value, false, ',', encode));
  if ('list' in value) return value.list.map((text) => pair(name, encode(text))).join('');
  return value.members.map(([key, text]) => pair(encode(key), encode(text))).join('');
}
