import { GatewayError, pointerOf } from '@gatehouse/errors';
import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { isObject, type JsonObject } from './json-value.ts';

const maxBytes = 20 * 1024 * 1024;
/** Objects and lists as a reader meets them: what an alias of YAML stands for counts each time. */
const maxContainers = 2_000_000;
const maxDepth = 200;
const maxAliases = 10_000;

/**
 * The description of an API, JSON or YAML, as an object: a finite tree of bounded size and depth, on which whatever walks it once ends soon.
 * @throws GatewayError validation_failed, with the pointer of what is wrong
 */
export function readApiDocument(text: string): JsonObject {
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) throw unfit('', 'too_large', `must have at most ${maxBytes} bytes`);
  return checkApiDocument(parse(text.startsWith('\ufeff') ? text.slice(1) : text));
}

/** The same for a document that was parsed already. */
export function checkApiDocument(document: unknown): JsonObject {
  if (!isObject(document)) throw unfit('', 'not_an_object', 'must be an object, in JSON or YAML');
  const pending: { readonly value: object; readonly depth: number; readonly parent?: Step }[] = [{ value: document, depth: 0 }];
  let containers = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    containers += 1;
    if (containers > maxContainers) throw unfit('', 'too_large', `must have at most ${maxContainers} objects and lists`);
    if (next.depth > maxDepth) throw unfit(pathTo(next.parent), 'too_deep', `must be nested at most ${maxDepth} deep`);
    for (const [key, value] of Object.entries(next.value)) {
      if (typeof value === 'object' && value !== null) pending.push({ value: value as object, depth: next.depth + 1, parent: { key, above: next.parent } });
    }
  }
  return document;
}

interface Step {
  readonly key: string;
  readonly above: Step | undefined;
}

function pathTo(step: Step | undefined): string {
  const keys: string[] = [];
  for (let at = step; at !== undefined; at = at.above) keys.unshift(at.key);
  // The beginning says where to look.
  return pointerOf(keys.slice(0, 20));
}

function parse(text: string): unknown {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // A flow mapping of YAML, perhaps, or JSON with a mistake; YAML’s reader says in which line.
    }
  }
  try {
    return load(text, { schema: CORE_SCHEMA.withTags(mergeTag), maxDepth, maxAliases });
  } catch (cause) {
    const reason = cause instanceof YAMLException ? cause.message.split('\n', 1)[0] : 'its reader gave up';
    throw unfit('', 'unreadable', `is neither JSON nor YAML: ${reason}`);
  }
}

const unfit = (pointer: string, code: string, detail: string): GatewayError => new GatewayError('validation_failed', { problems: [{ pointer, code, detail }] });
