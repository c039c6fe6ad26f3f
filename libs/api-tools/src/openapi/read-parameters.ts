import { isHeaderName } from '@gatehouse/config-fields';
import { isReservedHeader, neverLeaves } from '@gatehouse/header-policy';
import type { ApiParameter, ParameterStyle } from '../api-operation.ts';
import { isObject, type JsonObject, listOf, own, textOf } from '../json-value.ts';
import type { Located, References } from './references.ts';
import { type ImportWarning, Unusable } from './unusable.ts';

/** A parameter before its argument has a name. */
export interface ReadParameter {
  readonly parameter: Omit<ApiParameter, 'argument'>;
  readonly schema: Located;
  readonly description: string | undefined;
}

export interface ParameterScope {
  readonly references: References;
  readonly warn: (warning: ImportWarning) => void;
  /** `in:name` of what the document’s security schemes send: the gateway’s to set. */
  readonly credentials: ReadonlySet<string>;
}

type Place = ApiParameter['in'];

/** The style of each place when the document names none, and those that it may name (OpenAPI 3.1.1 section 4.8.12.2.1). */
const styles: Readonly<Record<Place, readonly [ParameterStyle, ...ParameterStyle[]]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
};

const maxParameters = 500;

/**
 * The parameters of an operation: its path’s, replaced by its own where place and name are the same.
 * @throws Unusable
 */
export function readParameters(lists: readonly Located[], scope: ParameterScope): ReadParameter[] {
  const byKey = new Map<string, Located & { readonly value: JsonObject }>();
  for (const { value: list, pointer } of lists) {
    if (listOf(list).length > maxParameters) throw new Unusable('schema_too_large', pointer, `has more than ${maxParameters} parameters`);
    for (const [index, entry] of listOf(list).entries()) {
      const { value, pointer: at } = scope.references.follow({ value: entry, pointer: `${pointer}/${index}` });
      if (!isObject(value) || textOf(own(value, 'name')) === undefined) throw new Unusable('unsupported_parameter', at, 'is no parameter with a name');
      byKey.set(`${String(own(value, 'in'))}:${own(value, 'name') as string}`, { value, pointer: at });
    }
  }
  return [...byKey].flatMap(([key, { value, pointer }]) => readParameter(key, value, pointer, scope) ?? []);
}

function readParameter(key: string, value: JsonObject, pointer: string, scope: ParameterScope): ReadParameter | undefined {
  const place = own(value, 'in');
  const name = own(value, 'name') as string;
  const leaveOut = (code: string, detail: string): undefined => void scope.warn({ pointer, code, detail });
  if (place === 'cookie') return leaveOut('cookie_parameter', `cookie ${name} is left out: no cookie ever leaves`);
  if (place !== 'path' && place !== 'query' && place !== 'header') {
    if (own(value, 'required') === true) throw new Unusable('unsupported_parameter', pointer, `is a parameter in ${String(place)}`);
    return leaveOut('unsupported_parameter', `a parameter in ${String(place)} is left out`);
  }
  if (scope.credentials.has(place === 'header' ? key.toLowerCase() : key)) return leaveOut('credential_parameter', `${name} is left out: it is a credential, which the gateway sets`);
  if (place === 'header' && (!isHeaderName(name) || neverLeaves(name) || isReservedHeader(name))) return leaveOut('blocked_header', `header ${name} is left out: no caller may set it`);

  const { schema, json } = schemaOf(value, pointer);
  const style = styleOf(place, own(value, 'style'), pointer);
  const explode = own(value, 'explode');
  return {
    parameter: {
      name,
      in: place,
      required: place === 'path' || own(value, 'required') === true,
      style,
      explode: typeof explode === 'boolean' ? explode : style === 'form',
      ...(place === 'query' && own(value, 'allowReserved') === true ? { allowReserved: true as const } : {}),
      ...(json ? { json: true as const } : {}),
    },
    schema,
    description: textOf(own(value, 'description')),
  };
}

/** `schema`, or the one media type of `content` (OpenAPI 3.1.1 section 4.8.12.2): of those JSON is one that we can write. */
function schemaOf(value: JsonObject, pointer: string): { schema: Located; json: boolean } {
  const content = own(value, 'content');
  if (!isObject(content)) return { schema: { value: own(value, 'schema') ?? {}, pointer: `${pointer}/schema` }, json: false };
  const [mediaType = '', entry] = Object.entries(content)[0] ?? [];
  if (!/^(application\/json|text\/plain|[^;]+\+json)\b/i.test(mediaType)) throw new Unusable('unsupported_parameter', pointer, `is written as ${mediaType.slice(0, 100)}`);
  return { schema: { value: (isObject(entry) ? own(entry, 'schema') : undefined) ?? {}, pointer: `${pointer}/content` }, json: /json\b/i.test(mediaType) };
}

function styleOf(place: Place, style: unknown, pointer: string): ParameterStyle {
  const allowed: readonly ParameterStyle[] = styles[place];
  if (style === undefined) return styles[place][0];
  const found = allowed.find((name) => name === style);
  if (found === undefined) throw new Unusable('unsupported_parameter', pointer, `has the style ${JSON.stringify(style).slice(0, 50)}, which a parameter in ${place} cannot have`);
  return found;
}
