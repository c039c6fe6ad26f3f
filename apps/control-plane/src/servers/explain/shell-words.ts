/** The words of a command line, with quotes and escapes resolved as a shell would. Nothing is expanded, and nothing is run. */
export interface ShellWords {
  readonly words: readonly string[];
  /** Whether a shell would have put something in the place of `$…` or `` `…` ``. */
  readonly hasExpansions: boolean;
}

/** The first command of a text, up to an unquoted line end or operator; undefined where a quote is not closed. */
export function readShellWords(text: string): ShellWords | undefined {
  return new ShellReader(text).read();
}

/** Where a shell ends a command: operators, redirections, a line end. */
const isEnd = (character: string): boolean => '|;&<>\n'.includes(character);
const ansiEscapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', e: '\x1b', E: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

class ShellReader {
  readonly #text: string;
  readonly #words: string[] = [];
  #at = 0;
  /** The word that is being read; a quoted empty one is a word too. */
  #word: string | undefined;
  #hasExpansions = false;

  constructor(text: string) {
    this.#text = text.trim();
  }

  read(): ShellWords | undefined {
    while (this.#at < this.#text.length) {
      const character = this.#take();
      if (isEnd(character)) break;
      if (/\s/.test(character)) this.#endWord();
      else if (!this.#readPiece(character)) return undefined;
    }
    this.#endWord();
    return { words: this.#words, hasExpansions: this.#hasExpansions };
  }

  #readPiece(character: string): boolean {
    if (character === "'") return this.#readSingleQuoted();
    if (character === '"') return this.#readDoubleQuoted();
    if (character === '$' && this.#peek() === "'") return this.#readAnsiQuoted();
    if (character === '\\') return this.#readEscape();
    this.#add(character);
    return true;
  }

  /** Outside of quotes. At the end of a line it joins the next one; blanks that came along when it was copied do not count. */
  #readEscape(): boolean {
    const lineEnd = /[ \t\r]*\n/y;
    lineEnd.lastIndex = this.#at;
    if (lineEnd.test(this.#text)) this.#at = lineEnd.lastIndex;
    else this.#append(this.#take());
    return true;
  }

  #readSingleQuoted(): boolean {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) return false;
    this.#append(this.#text.slice(this.#at, end));
    this.#at = end + 1;
    return true;
  }

  #readDoubleQuoted(): boolean {
    this.#append('');
    while (this.#at < this.#text.length) {
      const character = this.#take();
      if (character === '"') return true;
      if (character !== '\\') this.#add(character);
      else if (this.#peek() === '\n') this.#at += 1;
      else this.#append('$`"\\'.includes(this.#peek()) && this.#peek() !== '' ? this.#take() : '\\');
    }
    return false;
  }

  /** `$'…'`: escapes as in C. */
  #readAnsiQuoted(): boolean {
    this.#at += 1;
    this.#append('');
    while (this.#at < this.#text.length) {
      const character = this.#take();
      if (character === "'") return true;
      this.#append(character === '\\' ? this.#ansiEscape() : character);
    }
    return false;
  }

  #ansiEscape(): string {
    const [matched, hex, octal] = /^(?:[xuU]([0-9A-Fa-f]{1,8})|([0-7]{1,3}))/.exec(this.#text.slice(this.#at, this.#at + 9)) ?? [];
    if (hex !== undefined) return this.#hexEscape(hex);
    if (matched !== undefined && octal !== undefined) {
      this.#at += matched.length;
      return String.fromCodePoint(Number.parseInt(octal, 8) & 0xff);
    }
    const character = this.#take();
    return ansiEscapes[character] ?? character;
  }

  #hexEscape(digits: string): string {
    const maxDigits = { x: 2, u: 4, U: 8 }[this.#take()] ?? 2;
    const used = digits.slice(0, maxDigits);
    this.#at += used.length;
    const codePoint = Number.parseInt(used, 16);
    return codePoint > 0x10ffff ? '\ufffd' : String.fromCodePoint(codePoint);
  }

  /** A character that a shell may begin to expand with. */
  #add(character: string): void {
    if (character === '`' || (character === '$' && /[A-Za-z_{(]/.test(this.#peek()))) this.#hasExpansions = true;
    this.#append(character);
  }

  #append(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #take(): string {
    const character = this.#text[this.#at] ?? '';
    this.#at += 1;
    return character;
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }
}
