import { isObject, type JsonObject, own } from '../json-value.ts';
import { Unusable } from './unusable.ts';

/** Longer chains than this have no purpose; and a circle of references is none. */
const maxHops = 32;
/** Pointers are repeated with all that is said of an operation. */
const maxPointer = 2_000;

/** A part of the document and where it stands there. */
export interface Located {
  readonly value: unknown;
  readonly pointer: string;
}

/** Follows `$ref`s inside one document. Others are never fetched: whoever wrote the document could make the gateway ask anyone anything. */
export class References {
  readonly #document: JsonObject;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /**
   * What stands at a place, references followed.
   * @throws Unusable remote_ref, broken_ref
   */
  follow(located: Located): Located {
    let at = located;
    for (let hops = 0; hops <= maxHops; hops += 1) {
      const reference = isObject(at.value) ? own(at.value, '$ref') : undefined;
      if (typeof reference !== 'string') return at;
      at = this.find(reference, at.pointer);
    }
    throw new Unusable('broken_ref', located.pointer, `refers on more than ${maxHops} times, or in a circle`);
  }

  /** The target of one reference. @throws Unusable remote_ref, broken_ref */
  find(reference: string, from: string): Located {
    if (!reference.startsWith('#')) throw new Unusable('remote_ref', from, `refers outside the document: ${reference.slice(0, 200)}`);
    const pointer = decoded(reference.slice(1));
    if (reference.length > maxPointer) throw new Unusable('broken_ref', from, `refers with more than ${maxPointer} characters`);
    if (pointer === undefined || (pointer !== '' && !pointer.startsWith('/'))) throw new Unusable('broken_ref', from, `is not a JSON pointer: ${reference.slice(0, 200)}`);
    let value: unknown = this.#document;
    for (const step of pointer.split('/').slice(1)) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      value = typeof value === 'object' && value !== null ? own(value as JsonObject, key) : undefined;
      if (value === undefined) throw new Unusable('broken_ref', from, `refers to what is not there: ${reference.slice(0, 200)}`);
    }
    return { value, pointer };
  }
}

function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}
