import { isHeaderValue, namesInQuery, withoutNames } from '@gatehouse/config-fields';
import { type Problem, pointerOf } from '@gatehouse/errors';
import type { ApiOperation, ApiParameter } from '../api-operation.ts';
import { ArgumentError } from '../argument-error.ts';
import { unfitArguments } from '../arguments/unfit-arguments.ts';
import { type JsonObject, own } from '../json-value.ts';
import { joined, styledValue } from './expand-value.ts';
import { pathOf } from './path-of.ts';
import { encodeReserved, percentEncode } from './percent-encode.ts';
import { queryPairs, separatorWithin } from './query-pairs.ts';
import { requestBody } from './request-body.ts';

export interface ApiRequest {
  readonly method: ApiOperation['method'];
  /** Path and query. */
  readonly path: string;
  /** Name, value, … as they leave: one character a byte. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | Buffer | undefined;
}

const maxHeaderBytes = 8_192;

/**
 * The request that an operation with these arguments is, as its specification says. Whatever the arguments are, it stays under the
 * base URL, and each value in its own place.
 * @throws ArgumentError when no such request can be made of them
 */
export function buildApiRequest(operation: ApiOperation, args: JsonObject, baseUrl: URL): ApiRequest {
  const unfit = unfitArguments(args);
  if (unfit !== undefined) throw new ArgumentError([unfit]);
  const problems: Problem[] = [];
  const problemOf = ({ argument }: Pick<ApiParameter, 'argument'>, detail: string): Problem => ({ pointer: pointerOf([argument]), detail });
  const valueOf = ({ argument }: ApiParameter): unknown => own(args, argument);

  const path = pathOf(operation.path, operation.parameters, valueOf, problems, problemOf);
  // What the URL's own query sets, no caller sets.
  const pinned = baseUrl.search.slice(1);
  const query: string[] = [];
  const headers: (readonly [string, string])[] = [['accept', operation.accept], ['accept-encoding', 'identity']];
  for (const parameter of operation.parameters) {
    const value = valueOf(parameter);
    if (parameter.required && parameter.in !== 'path' && value === undefined) problems.push(problemOf(parameter, 'is required'));
    if (parameter.in === 'query' && value !== undefined) {
      const separator = separatorWithin(value, parameter);
      if (separator !== undefined) problems.push(problemOf(parameter, `must not have ${JSON.stringify(separator)} in an entry: that is what stands between entries`));
      query.push(...queryOf(parameter, value));
    }
    if (parameter.in === 'header' && value !== undefined) {
      const text = headerText(parameter, value);
      if (text === undefined) continue;
      if (!isHeaderValue(text) || Buffer.byteLength(text) > maxHeaderBytes) problems.push(problemOf(parameter, `cannot be a header: no line breaks or control characters, at most ${maxHeaderBytes} bytes`));
      // Beyond ASCII as UTF-8, a character a byte.
      else headers.push([parameter.name, Buffer.from(text).toString('latin1')]);
    }
  }
  const body = operation.graphql === undefined ? operation.body && requestBody(operation.body, args, problems) : graphqlBody(operation.graphql, args);
  if (problems.length > 0) throw new ArgumentError(problems);
  if (body !== undefined) headers.push(['content-type', body.contentType]);
  const base = operation.path === '' ? baseUrl.pathname : baseUrl.pathname.replace(/\/+$/, '');
  return { method: operation.method, path: `${base}${path}${withQuery(pinned, query)}`, headers, body: body?.body };
}

function withQuery(pinned: string, given: readonly string[]): string {
  const pairs = pinned === '' ? given : [pinned, ...withoutNames(given.join('&'), namesInQuery(pinned))];
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

const queryOf = ({ name, style, explode, allowReserved, json }: ApiParameter, value: unknown): string[] =>
  json === true ? [`${percentEncode(name)}=${percentEncode(JSON.stringify(value))}`] : queryPairs(name, value, { style, explode, encode: allowReserved === true ? encodeReserved : percentEncode });

/** `simple`, not encoded: header values are no part of a URL (OpenAPI 3.1.1 section 4.8.12.4, appendix D). */
function headerText({ explode, json }: ApiParameter, value: unknown): string | undefined {
  if (json === true) return JSON.stringify(value);
  const styled = styledValue(value);
  return styled && joined(styled, explode, ',', (text) => text);
}

function graphqlBody({ document, operationName, variables }: NonNullable<ApiOperation['graphql']>, args: JsonObject): { contentType: string; body: string } {
  const given = variables.flatMap(({ argument, name }) => (own(args, argument) === undefined ? [] : [[name, own(args, argument)] as const]));
  return { contentType: 'application/json', body: JSON.stringify({ query: document, ...(operationName === undefined ? {} : { operationName }), ...(given.length === 0 ? {} : { variables: Object.fromEntries(given) }) }) };
}
