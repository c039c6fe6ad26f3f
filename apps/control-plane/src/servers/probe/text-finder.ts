/** A part of a text, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface State {
  readonly next: Map<number, State>;
  /** The longest end of this state's text that is the beginning of another one. */
  fallback: State | undefined;
  /** Of what is found here: how far back it begins at most, and how much of it is still to come. */
  back: number;
  ahead: number;
}

/** So many characters in a row are no chance: where they stand, the rest of the text is taken to follow. */
const maxCompared = 32;

/**
 * Finds any of many texts, without case, in one pass (Aho and Corasick, 1975): its time grows with what is searched, and not
 * with how many texts there are, nor with how they and what is searched repeat themselves. That of a regular expression does.
 */
export class TextFinder {
  /** Of the longest text. */
  readonly maxLength: number;
  readonly #root = newState();

  constructor(texts: readonly string[]) {
    this.maxLength = texts.reduce((longest, { length }) => Math.max(longest, length), 0);
    for (const text of texts) this.#add(text);
    this.#link();
  }

  /** Everything that is found, in order; what overlaps is one. */
  find(text: string): Span[] {
    const found: { start: number; end: number }[] = [];
    let state = this.#root;
    for (let index = 0; index < text.length; index += 1) {
      state = this.#step(state, foldedCode(text, index));
      if (state.back === 0) continue;
      const span = { start: index + 1 - state.back, end: Math.min(text.length, index + 1 + state.ahead) };
      for (let last = found.at(-1); last !== undefined && last.end > span.start; last = found.at(-1)) {
        found.pop();
        span.start = Math.min(span.start, last.start);
        span.end = Math.max(span.end, last.end);
      }
      found.push(span);
    }
    return found;
  }

  #add(text: string): void {
    let state = this.#root;
    const compared = Math.min(text.length, maxCompared);
    for (let index = 0; index < compared; index += 1) {
      const code = foldedCode(text, index);
      const next = state.next.get(code) ?? newState();
      state.next.set(code, next);
      state = next;
    }
    state.back = compared;
    state.ahead = Math.max(state.ahead, text.length - compared);
  }

  /** The nearest first: a fallback is always nearer to the beginning. */
  #link(): void {
    const states = [this.#root];
    for (const state of states) {
      for (const [code, next] of state.next) {
        const fallback = state.fallback === undefined ? this.#root : this.#step(state.fallback, code);
        next.fallback = fallback;
        next.back = Math.max(next.back, fallback.back);
        next.ahead = Math.max(next.ahead, fallback.ahead);
        states.push(next);
      }
    }
  }

  #step(from: State, code: number): State {
    for (let state: State | undefined = from; state !== undefined; state = state.fallback) {
      const next = state.next.get(code);
      if (next !== undefined) return next;
    }
    return this.#root;
  }
}

const newState = (): State => ({ next: new Map(), fallback: undefined, back: 0, ahead: 0 });

/** Without case, one code unit each, so that places stay what they are. */
function foldedCode(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
  return String.fromCharCode(code).toLowerCase().charCodeAt(0);
}
