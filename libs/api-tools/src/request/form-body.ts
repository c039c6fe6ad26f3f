import type { FieldEncoding } from '../api-operation.ts';
import { isObject } from '../json-value.ts';
import { encodeReserved, percentEncode } from './percent-encode.ts';
import { queryPairs } from './query-pairs.ts';

export interface FieldValue {
  readonly name: string;
  readonly value: unknown;
  readonly encoding?: FieldEncoding | undefined;
}

/**
 * application/x-www-form-urlencoded (OpenAPI 3.1.1 section 4.8.15.1): a field for which a style is named is written like a query
 * parameter; otherwise lists by repeating the name, and objects as JSON.
 */
export const formBody = (fields: readonly FieldValue[]): string => fields.flatMap(pairsOf).join('&');

function pairsOf({ name, value, encoding = {} }: FieldValue): string[] {
  const { style, explode, allowReserved } = encoding;
  const encode = allowReserved === true ? encodeReserved : percentEncode;
  if (style !== undefined || explode !== undefined) return queryPairs(name, value, { style: style ?? 'form', explode: explode ?? (style ?? 'form') === 'form', encode });
  // A member that is an object is one field, whatever the style form would make of it.
  if (encoding.contentType === 'application/json' || isObject(value)) return [`${percentEncode(name)}=${encode(JSON.stringify(value))}`];
  return queryPairs(name, value, { style: 'form', explode: true, encode });
}
