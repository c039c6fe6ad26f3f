import type { ApiOperation, ApiParameter } from '../api-operation.ts';
import type { ApiRequest } from '../request/build-api-request.ts';

/** A value as it arrives: all that URLs and forms carry is text. */
export type Arrived = string | readonly string[] | Readonly<Record<string, string>> | undefined;

/** What a server that knows the operation’s specification reads in a request: written for specs, from the specification, apart from what builds it. */
export class RequestReader {
  readonly #operation: ApiOperation;
  readonly #segments: ReadonlyMap<string, string>;
  readonly #query: readonly (readonly [string, string])[];
  readonly #request: ApiRequest;

  constructor(operation: ApiOperation, request: ApiRequest, basePath: string) {
    this.#operation = operation;
    this.#request = request;
    const mark = request.path.indexOf('?');
    const path = mark === -1 ? request.path : request.path.slice(0, mark);
    const query = mark === -1 ? undefined : request.path.slice(mark + 1);
    const names: string[] = [];
    const pattern = operation.path.replace(/\{([^{}]+)\}|[^{}]+/g, (literal, name: string | undefined) => {
      if (name === undefined) return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      names.push(name);
      return '([^/]+)';
    });
    const match = new RegExp(`^${basePath}${pattern}$`).exec(path);
    if (match === null) throw new Error(`${path} is not ${operation.path}`);
    // What is read here must be what any other reader of URLs reads.
    if (new URL(`https://api.example${request.path}`).pathname !== path) throw new Error(`${path} is read as another path`);
    this.#segments = new Map(names.map((name, index) => [name, match[index + 1] as string]));
    this.#query = query === undefined ? [] : query.split('&').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
  }

  parameter(parameter: ApiParameter, like: unknown): Arrived {
    if (parameter.in === 'header') return this.#request.headers.filter(([name]) => name === parameter.name).map(([, value]) => Buffer.from(value, 'latin1').toString())[0];
    if (parameter.in === 'path') return fromPath(parameter, this.#segments.get(parameter.name) ?? '', like);
    return this.#fromQuery(parameter, like);
  }

  get contentType(): string | undefined {
    return this.#request.headers.find(([name]) => name === 'content-type')?.[1];
  }

  get body(): ApiRequest['body'] {
    return this.#request.body;
  }

  /** Names of query parameters that no parameter of the operation is. */
  strayQueryNames(known: ReadonlySet<string>): string[] {
    return this.#query.map(([name]) => decodeURIComponent(name).replace(/\[.*/s, '')).filter((name) => !known.has(name));
  }

  #fromQuery({ name, style, explode, json }: ApiParameter, like: unknown): Arrived {
    const pairs = this.#query.map(([key, value]) => [decodeURIComponent(key), value] as const);
    const values = pairs.filter(([key]) => key === name).map(([, value]) => value);
    if (json === true) return values.map(decodeURIComponent)[0];
    if (style === 'deepObject') return deep(name, pairs, like);
    if (!isPlain(like) && explode) return Array.isArray(like) ? listed(values.map(decodeURIComponent)) : Object.fromEntries(pairs.map(([key, value]) => [key, decodeURIComponent(value)]));
    if (values[0] === undefined) return undefined;
    const separator = { form: ',', spaceDelimited: '%20', pipeDelimited: '%7C' }[style as 'form'];
    return isPlain(like) ? decodeURIComponent(values[0]) : split(values[0], separator, like, explode);
  }

  get operation(): ApiOperation {
    return this.#operation;
  }
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
const listed = (values: readonly string[]): Arrived => (values.length === 0 ? undefined : values);

function deep(name: string, pairs: readonly (readonly [string, string])[], like: unknown): Arrived {
  if (isPlain(like)) return pairs.filter(([key]) => key === name).map(([, value]) => decodeURIComponent(value))[0];
  const members = pairs.filter(([key]) => key.startsWith(`${name}[`)).map(([key, value]) => [key.slice(name.length + 1, -1), decodeURIComponent(value)] as const);
  if (members.length === 0) return undefined;
  return Array.isArray(like) ? members.map(([, value]) => value) : Object.fromEntries(members);
}

function fromPath({ style, explode }: ApiParameter, segment: string, like: unknown): Arrived {
  if (style === 'matrix') {
    const pairs = segment.slice(1).split(';').map((pair) => pair.split('=') as [string, string?]);
    if (explode && !isPlain(like)) return Array.isArray(like) ? pairs.map(([, value = '']) => decodeURIComponent(value)) : Object.fromEntries(pairs.map(([key, value = '']) => [decodeURIComponent(key), decodeURIComponent(value)]));
    const value = pairs[0]?.[1] ?? '';
    return isPlain(like) ? decodeURIComponent(value) : split(value, ',', like, false);
  }
  const text = style === 'label' ? segment.slice(1) : segment;
  if (isPlain(like)) return decodeURIComponent(text);
  return split(text, style === 'label' && explode ? '.' : ',', like, explode);
}

function split(text: string, separator: string, like: unknown, explode: boolean): Arrived {
  const parts = text.split(separator);
  if (Array.isArray(like)) return parts.map(decodeURIComponent);
  if (explode) return Object.fromEntries(parts.map((part) => part.split('=').map(decodeURIComponent) as [string, string]));
  return Object.fromEntries(parts.flatMap((key, index) => (index % 2 === 0 ? [[decodeURIComponent(key), decodeURIComponent(parts[index + 1] ?? '')]] : [])));
}
