/*
 * Where things are in a JSON text: for reading what parsing forgets (two members of one name), and for changing a part without
 * touching the rest. Only for text that `JSON.parse` has taken; of anything else the positions are wrong, but they end.
 */

const quote = 0x22;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const backslash = 0x5c;

/** Position of the first character from `at` on that is no white space. */
export function skipSpace(text: string, at: number): number {
  let next = at;
  while (isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** Visits the members of the object that begins at `start`: the name as it reads, where the value begins and ends, and where the name does. */
export function eachMember(text: string, start: number, visit: (name: string, from: number, to: number, nameFrom: number) => void): void {
  let at = skipSpace(text, start + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = endOfString(text, at);
    const from = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const to = endOfValue(text, from);
    visit(nameOf(text, at, nameEnd), from, to, at);
    at = afterComma(text, to);
  }
}

/** Visits the elements of the array that begins at `start`: where each begins and ends. */
export function eachElement(text: string, start: number, visit: (from: number, to: number) => void): void {
  let at = skipSpace(text, start + 1);
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const to = endOfValue(text, at);
    visit(at, to);
    at = afterComma(text, to);
  }
}

export const beginsObject = (text: string, at: number): boolean => text.charCodeAt(at) === openBrace;
export const beginsArray = (text: string, at: number): boolean => text.charCodeAt(at) === openBracket;

function nameOf(text: string, from: number, to: number): string {
  const name = text.slice(from + 1, to - 1);
  return name.includes('\\') ? (JSON.parse(`"${name}"`) as string) : name;
}

function afterComma(text: string, at: number): number {
  const next = skipSpace(text, at);
  return text.charCodeAt(next) === comma ? skipSpace(text, next + 1) : next;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return endOfString(text, from);
  if (first === openBrace || first === openBracket) return endOfNested(text, from);
  let at = from + 1;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at += 1;
  return at;
}

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    at += 1;
    if (code === openBrace || code === openBracket) depth += 1;
    else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function endOfString(text: string, from: number): number {
  let at = from;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const endsScalar = (code: number): boolean => code === comma || code === closeBrace || code === closeBracket || isSpace(code);
