import { pointerOf } from '@gatehouse/errors';
import { type ApiBody, type FieldEncoding, parameterStyle } from '../api-operation.ts';
import { isObject, type JsonObject, listOf, objectOf, own, textOf } from '../json-value.ts';
import type { Located, References } from './references.ts';
import { Unusable } from './unusable.ts';

export interface ReadField {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Located;
  readonly encoding: FieldEncoding | undefined;
  readonly file: boolean;
}

/** A body before its arguments have names: `fields`, or the whole of it. */
export interface ReadBody {
  readonly mediaType: string;
  readonly kind: ApiBody['kind'];
  readonly required: boolean;
  readonly schema: Located;
  readonly fields: readonly ReadField[] | undefined;
}

/** What a tool can write, the best first. Of several kinds of JSON those that describe a change come last: their schema is not the thing’s. */
const kinds: readonly (readonly [ApiBody['kind'], RegExp])[] = [
  ['json', /^application\/json$/],
  ['json', /^[^;]+\/(?!json-patch)[^;]+\+json$/],
  ['json', /^application\/json-patch\+json$/],
  ['json', /^\*\/\*$/],
  ['form', /^application\/x-www-form-urlencoded$/],
  ['multipart', /^multipart\/form-data$/],
  ['text', /^(text\/[^;]+|application\/([^;]+\+)?xml|application\/(x-)?(yaml|ndjson|jsonl|graphql|javascript))$/],
  ['binary', /^(?!multipart\/)[^;/*]+\/[^;]+$/],
];

/** @throws Unusable */
export function readBody({ value: body, pointer }: Located, references: References): ReadBody | undefined {
  if (!isObject(body)) return undefined;
  const content = own(body, 'content');
  // None is longer, and patterns are for what has a bound.
  const entries = isObject(content) ? Object.entries(content).slice(0, 100).filter(([mediaType]) => isMediaType(mediaType.trim())) : [];
  if (entries.length === 0) return undefined;
  const chosen = kinds.flatMap(([kind, pattern]) => {
    const found = entries.find(([mediaType]) => pattern.test(essence(mediaType)));
    return found === undefined ? [] : [{ kind, mediaType: found[0], entry: found[1] }];
  })[0];
  if (chosen === undefined) throw new Unusable('unsupported_body', pointer, `is written as ${entries.map(([name]) => name).join(', ').slice(0, 200)}`);
  const { kind, entry } = chosen;
  const at = `${pointer}${pointerOf(['content', chosen.mediaType])}`;
  const schema = { value: (isObject(entry) ? own(entry, 'schema') : undefined) ?? {}, pointer: `${at}/schema` };
  const mediaType = chosen.mediaType === '*/*' ? 'application/json' : chosen.mediaType.trim();
  // It becomes a header.
  if (!isMediaType(mediaType)) throw new Unusable('unsupported_body', at, 'has a media type that is none');
  const fields = kind === 'text' || kind === 'binary' ? undefined : readFields(schema, isObject(entry) ? own(entry, 'encoding') : undefined, references);
  // Most documents leave `required` out here, and say in the schema what has to be there.
  const isRequired = own(body, 'required') === true || (own(body, 'required') === undefined && fields?.some(({ required }) => required) === true);
  return { mediaType, kind, required: isRequired, schema, fields };
}

const isMediaType = (text: string): boolean => /^[\x20-\x7e]{1,200}$/.test(text);

export const essence = (mediaType: string): string => (mediaType.split(';', 1)[0] as string).trim().toLowerCase();

/** What a schema may have and still be nothing but its members: side by side as arguments they say all that it does. */
const memberKeywords: ReadonlySet<string> = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'allOf', 'title', 'description', 'example', 'examples', 'default', 'xml', 'externalDocs', 'deprecated', 'discriminator', 'nullable', '$comment', '$schema',
]);

const maxFields = 500;

/** The members of a body that is an object and no more than that; `undefined` for any other. */
function readFields(schema: Located, encodings: unknown, references: References): readonly ReadField[] | undefined {
  const members = new Map<string, Located>();
  const required = new Set<string>();
  if (!collect(schema, { references, members, required, seen: new Set() }) || members.size === 0 || members.size > maxFields) return undefined;
  // One that must be there and that nothing describes could not be given.
  if ([...required].some((name) => !members.has(name))) return undefined;
  const fields: ReadField[] = [];
  for (const [name, located] of members) {
    const target = references.follow(located).value;
    if (isObject(target) && own(target, 'readOnly') === true) continue;
    if (isObject(located.value) && own(located.value, 'readOnly') === true) continue;
    fields.push({
      name,
      required: required.has(name),
      schema: located,
      encoding: encodingOf(isObject(encodings) ? own(encodings, name) : undefined),
      file: isFile(target, references, located.pointer),
    });
  }
  return fields.length === 0 ? undefined : fields;
}

interface Collection {
  readonly references: References;
  readonly members: Map<string, Located>;
  readonly required: Set<string>;
  /** Where it has been: a part may be there twice, or be a part of itself. */
  readonly seen: Set<string>;
}

const maxParts = 500;

function collect(at: Located, into: Collection, depth = 0): boolean {
  const { value, pointer } = into.references.follow(at);
  if (into.seen.has(pointer)) return true;
  into.seen.add(pointer);
  if (!isObject(value) || depth > 40 || into.seen.size > maxParts || into.members.size > maxFields) return false;
  if ((own(value, 'type') ?? 'object') !== 'object') return false;
  if (Object.keys(value).some((key) => !memberKeywords.has(key) && !key.startsWith('x-'))) return false;
  const parts = listOf(own(value, 'allOf'));
  const additional = own(value, 'additionalProperties');
  if (additional !== undefined && (additional !== false || parts.length > 0)) return false;
  if (!parts.every((part, index) => collect({ value: part, pointer: `${pointer}/allOf/${index}` }, into, depth + 1))) return false;
  // Where a part has it too, the one that extends the part is the one that says more.
  for (const [name, member] of Object.entries(objectOf(own(value, 'properties')))) into.members.set(name, { value: member, pointer: `${pointer}${pointerOf(['properties', name])}` });
  for (const name of listOf(own(value, 'required'))) if (typeof name === 'string') into.required.add(name);
  return true;
}

function encodingOf(value: unknown): FieldEncoding | undefined {
  if (!isObject(value)) return undefined;
  const style = parameterStyle.safeParse(own(value, 'style'));
  const explode = own(value, 'explode');
  const contentType = textOf(own(value, 'contentType'));
  const encoding = {
    // Several are what the field may be; which one it is only its value says.
    ...(contentType !== undefined && isMediaType(contentType) && /^[^;,*\s]+(; ?[^;,\s]+)*$/.test(contentType) ? { contentType } : {}),
    ...(style.success ? { style: style.data } : {}),
    ...(typeof explode === 'boolean' ? { explode } : {}),
    ...(own(value, 'allowReserved') === true ? { allowReserved: true as const } : {}),
  };
  return Object.keys(encoding).length === 0 ? undefined : encoding;
}

/** Bytes in a multipart body: `format: binary` in OpenAPI 3.0, a media type without an encoding in 3.1 (sections 4.8.14.3 of each), or a list of such. */
export function isFile(schema: unknown, references: References, pointer: string): boolean {
  if (!isObject(schema)) return false;
  const items = own(schema, 'items');
  if (own(schema, 'type') === 'array' && isObject(items)) return isFileSchema(references.follow({ value: items, pointer }).value);
  return isFileSchema(schema);
}

function isFileSchema(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  if (own(schema, 'format') === 'binary') return true;
  return own(schema, 'contentMediaType') !== undefined && own(schema, 'contentEncoding') === undefined && !String(own(schema, 'contentMediaType')).startsWith('text/');
}

/** What a caller gives for a file. */
export const fileSchema = (description: string | undefined): JsonObject => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
  properties: {
    base64: { type: 'string', description: 'The file’s bytes, in base64.' },
    filename: { type: 'string' },
    contentType: { type: 'string', description: 'Its media type, such as image/png.' },
  },
  required: ['base64'],
  additionalProperties: false,
});
