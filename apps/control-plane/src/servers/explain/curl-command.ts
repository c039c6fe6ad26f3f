import type { Problem } from '@gatehouse/errors';
import { type CurlOption, curlOptions } from './curl-options.ts';
import type { GivenRequest } from './given-request.ts';
import { HeaderRows } from './header-rows.ts';
import { pathOf } from './path-of.ts';
import { readShellWords } from './shell-words.ts';

const pointer = '/curl';

/**
 * The request that a curl command would send: its URL, method, headers and data, whatever shell it was written for. Nothing is
 * run, no file is read, and options that change nothing of the request are left out of account.
 */
export function readCurlCommand(text: string): GivenRequest | { readonly problems: readonly Problem[] } {
  const shell = readShellWords(withoutCarets(text));
  if (shell === undefined) return refused('has a quote that is not closed');
  const [first, ...words] = shell.words[0] === '$' ? shell.words.slice(1) : shell.words;
  if (first === undefined || !/(^|[\\/])curl(\.exe)?$/i.test(first)) return refused('is not a curl command: it must begin with curl');
  const command = new CurlCommand();
  readOptions(words, command);
  return command.problems.length > 0 ? { problems: command.problems } : command.toRequest(shell.hasExpansions);
}

const problem = (detail: string): Problem => ({ pointer, detail, code: 'invalid_value' });
const refused = (detail: string) => ({ problems: [problem(detail)] });

/** cmd.exe escapes with a caret, browsers each quote of what is copied for it. */
function withoutCarets(text: string): string {
  if (!/\^\r?\n|\s\^"/.test(text)) return text;
  return text.replaceAll(/\^\r?\n/g, ' ').replaceAll(/\^(.)/gs, '$1');
}

/** What is still to be read. Not a list from whose front words are taken: that costs its whole length each time. */
type Words = Iterator<string, undefined>;

function readOptions(words: readonly string[], command: CurlCommand): void {
  const rest = words.values();
  for (const word of rest) {
    if (!word.startsWith('-') || word === '-') command.take('url', word, word);
    else if (word.startsWith('--')) readOption(word, undefined, rest, command);
    else readLetters(word.slice(1), rest, command);
  }
}

/** `-sSXPOST`: flags together, and after an option with a value the value. */
function readLetters(letters: string, rest: Words, command: CurlCommand): void {
  for (let index = 0; index < letters.length; index += 1) {
    const attached = letters.slice(index + 1);
    if (readOption(`-${letters[index]}`, attached === '' ? undefined : attached, rest, command) === 'value') return;
  }
}

function readOption(name: string, attached: string | undefined, rest: Words, command: CurlCommand): 'value' | 'flag' {
  const kind = curlOptions.get(name);
  if (kind === undefined) {
    // Unknown whether it has a value: whatever follows might be read wrongly. What is no plain name may hold anything.
    command.refuse(/^--?[a-z0-9.-]{1,40}$/i.test(name) ? `has the option ${name}, which is not understood here: leave it out` : 'has an option that is not understood here: leave it out');
    return 'value';
  }
  if (!kind.hasValue) {
    command.take(kind.option, '', name);
    return 'flag';
  }
  const value = attached ?? rest.next().value;
  if (value === undefined) command.refuse(`has the option ${name} without a value`);
  else command.take(kind.option, value, name);
  return 'value';
}

/** What the options add up to. */
class CurlCommand {
  readonly #headers = new HeaderRows();
  readonly #refusals: Problem[] = [];
  /** What curl writes itself unless a header of that name is given: name, value. */
  readonly #generated: [string, string][] = [];
  /** Lower-case names of headers that are taken out (`-H 'Accept:'`). */
  readonly #removed = new Set<string>();
  readonly #data: string[] = [];
  #headerCount = 0;
  #method: string | undefined;
  #url: string | undefined;
  #isJson = false;
  #isForm = false;
  #isGet = false;
  #isHead = false;

  get problems(): readonly Problem[] {
    return [...this.#refusals, ...this.#headers.problems];
  }

  refuse(detail: string): void {
    this.#refusals.push(problem(detail));
  }

  take(option: CurlOption, value: string, name: string): void {
    switch (option) {
      case 'header':
        return this.#takeHeader(value);
      case 'method':
        return /^[A-Za-z]{1,32}$/.test(value) ? void (this.#method = value.toUpperCase()) : this.refuse(`has a method after ${name} that is none`);
      case 'url':
        return void (this.#url ??= value);
      case 'data':
      case 'json':
        if (option === 'json') this.#isJson = true;
        return value.startsWith('@') ? this.#refuseFile(name) : void this.#data.push(value);
      case 'data-raw':
        return void this.#data.push(value);
      case 'data-urlencode':
        return /^[^=]*@/.test(value) ? this.#refuseFile(name) : void this.#data.push(urlEncoded(value));
      case 'form':
        this.#isForm = true;
        return undefined;
      case 'user':
        return this.#generate('Authorization', `Basic ${Buffer.from(value.includes(':') ? value : `${value}:`, 'utf8').toString('base64')}`);
      case 'bearer':
        return this.#generate('Authorization', `Bearer ${value}`);
      case 'cookie':
        // What has no = is a file to read cookies from.
        return value.includes('=') ? this.#generate('Cookie', value) : this.#refuseFile(name);
      case 'user-agent':
        return this.#generate('User-Agent', value);
      case 'referer':
        return this.#generate('Referer', value.replace(/;auto$/, ''));
      case 'range':
        return this.#generate('Range', `bytes=${value}`);
      case 'file':
        return this.#refuseFile(name);
      case 'get':
        return void (this.#isGet = true);
      case 'head':
        return void (this.#isHead = true);
      case 'ignored':
      case 'ignored-value':
        return undefined;
    }
  }

  toRequest(hasShellExpansions: boolean): GivenRequest {
    const hasBody = (this.#data.length > 0 || this.#isForm) && !this.#isGet;
    if (this.#isJson) {
      this.#generate('Content-Type', 'application/json');
      this.#generate('Accept', 'application/json');
    }
    if (this.#isForm) this.#generate('Content-Type', 'multipart/form-data');
    return {
      method: this.#method ?? (this.#isHead ? 'HEAD' : hasBody ? 'POST' : 'GET'),
      path: this.#url === undefined ? undefined : pathOf(this.#url),
      rows: [...this.#generatedRows(), ...this.#headers.rows],
      body: hasBody ? this.#data.join(this.#isJson ? '' : '&') : undefined,
      ...(!this.#removed.has('accept') && { ownAccept: '*/*' }),
      hasShellExpansions,
      sendsFormByItself: hasBody && !this.#removed.has('content-type'),
    };
  }

  /** A header that is given, or taken out, takes the place of the one that curl would write. */
  #generatedRows(): readonly string[] {
    const generated = new HeaderRows();
    for (const [name, value] of this.#generated) {
      if (!this.#headers.has(name.toLowerCase()) && !this.#removed.has(name.toLowerCase())) generated.add(name, value, pointer);
    }
    return generated.rows;
  }

  /** `Name: value`; `Name:` takes one out that curl would send, `Name;` sends it empty. */
  #takeHeader(text: string): void {
    this.#headerCount += 1;
    if (text.startsWith('@')) return this.#refuseFile('-H');
    const [, removed] = /^([^:]+):\s*$/.exec(text) ?? [];
    if (removed !== undefined) return void this.#removed.add(removed.toLowerCase());
    const [, empty] = /^([^:]+);\s*$/.exec(text) ?? [];
    if (empty !== undefined) return this.#headers.add(empty, '', pointer);
    const before = this.#headers.problems.length;
    this.#headers.addLine(text, pointer);
    if (this.#headers.problems.length > before) {
      this.#headers.problems.pop();
      this.refuse(`has no header after -H number ${this.#headerCount}: write 'Name: value'`);
    }
    return undefined;
  }

  #generate(name: string, value: string): void {
    if (value !== '') this.#generated.push([name, value]);
  }

  #refuseFile(name: string): void {
    this.refuse(`has the option ${name} with a file, and files are not read here: write its content in its place`);
  }
}

/** A half of a surrogate pair, which `$'\ud83d'` writes, has no encoding. */
function urlEncoded(written: string): string {
  const value = written.toWellFormed();
  const cut = value.indexOf('=');
  return cut === -1 ? encodeURIComponent(value) : `${cut === 0 ? '' : value.slice(0, cut + 1)}${encodeURIComponent(value.slice(cut + 1))}`;
}
