import { isObject, own } from '../json-value.ts';
import { essence } from './read-body.ts';
import type { Located, References } from './references.ts';

export interface ReadAnswer {
  /** What to ask for in `Accept`. */
  readonly accept: string;
  /** Of an answer in JSON that is an object, when the document describes one. */
  readonly schema: Located | undefined;
}

const isJson = (mediaType: string): boolean => /^[^;]+\/([^;]+\+)?json$/.test(essence(mediaType));
const maxAccepted = 10;

/** What an operation answers when all is well: the first of its 2xx responses that says. @throws Unusable remote_ref, broken_ref */
export function readAnswer({ value: responses, pointer }: Located, references: References): ReadAnswer {
  if (!isObject(responses)) return anything;
  for (const status of ['200', '201', '202', '203', '206', '2XX', '2xx', 'default']) {
    const response = references.follow({ value: own(responses, status), pointer: `${pointer}/${status}` });
    const content = isObject(response.value) ? own(response.value, 'content') : undefined;
    const mediaTypes = isObject(content) ? Object.keys(content).filter((name) => /^[\x21-\x7e ]{3,100}$/.test(name)) : [];
    if (!isObject(content) || mediaTypes.length === 0) continue;
    const json = mediaTypes.find(isJson);
    if (json === undefined) return { accept: mediaTypes.slice(0, maxAccepted).join(', '), schema: undefined };
    const entry = own(content, json);
    const schema = { value: isObject(entry) ? own(entry, 'schema') : undefined, pointer: `${response.pointer}/content/${json.replaceAll('/', '~1')}/schema` };
    return { accept: json, schema: isObjectSchema(schema, references, 0) ? schema : undefined };
  }
  return anything;
}

const anything: ReadAnswer = { accept: '*/*', schema: undefined };

/** Structured content is an object. */
function isObjectSchema(at: Located, references: References, depth: number): boolean {
  const { value, pointer } = references.follow(at);
  if (!isObject(value) || depth > 10) return false;
  if (own(value, 'type') !== undefined) return own(value, 'type') === 'object';
  if (isObject(own(value, 'properties'))) return true;
  const parts = own(value, 'allOf');
  return Array.isArray(parts) && parts.length > 0 && isObjectSchema({ value: parts[0], pointer: `${pointer}/allOf/0` }, references, depth + 1);
}
