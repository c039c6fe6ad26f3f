import { GatewayError } from '@gatehouse/errors';

/** What an event's data becomes; the same text where it stays as it is, `undefined` where the event goes no further. */
export type ReplaceData = (data: string) => string | undefined;

/** What the id of an event becomes, by which its stream goes on where it broke off. */
export type ReplaceId = (id: string) => string;

const lineEnd = String.raw`(?:\r\n|\n|\r(?!\n))`;
const eventEnd = new RegExp(lineEnd + lineEnd, 'g');
const maxEventEndLength = 4;
const byteOrderMark = '\u00ef\u00bb\u00bf';
const nothing = Buffer.alloc(0);

/**
 * Changes the data of events in a stream (WHATWG HTML, section 9.2.6) as they pass. An event goes on when it is whole, with the
 * very bytes it came in unless its data has become another.
 */
export class EventDataFilter {
  readonly #maxEventBytes: number;
  readonly #replace: ReplaceData;
  readonly #replaceId: ReplaceId | undefined;
  /** Pieces of an event that has not ended. Latin-1 keeps every byte as it is, whatever else is in the stream. */
  #pieces: string[] = [];
  #length = 0;
  /** The last characters of them, in which its end may have begun. */
  #tail = '';
  #isFirst = true;
  #endedWithCarriageReturn = false;

  /** @param replace may throw: then the stream is not to be passed on any further */
  constructor(maxEventBytes: number, replace: ReplaceData, replaceId?: ReplaceId) {
    this.#maxEventBytes = maxEventBytes;
    this.#replace = replace;
    this.#replaceId = replaceId;
  }

  /**
   * The bytes of the events that end in this piece. What never ends is never passed on: clients do not read it either.
   * @throws GatewayError upstream_failed for an event that is too large; whatever `replace` throws
   */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return nothing;
    let text = chunk.toString('latin1');
    let output = '';
    // A line feed that begins a piece belongs to the carriage return that ended the event before.
    if (this.#endedWithCarriageReturn && text.startsWith('\n')) [output, text] = ['\n', text.slice(1)];
    this.#endedWithCarriageReturn = false;
    // A long event is looked through once, and not again with each of its pieces.
    eventEnd.lastIndex = 0;
    const ends = eventEnd.test(this.#tail + text);
    this.#keep(text);
    if (ends) output += this.#takeEvents();
    return Buffer.from(output, 'latin1');
  }

  #keep(text: string): void {
    this.#pieces.push(text);
    this.#length += text.length;
    this.#tail = (this.#tail + text).slice(1 - maxEventEndLength);
    if (this.#length > this.#maxEventBytes) throw new GatewayError('upstream_failed', { detail: `an event is longer than ${this.#maxEventBytes}` });
  }

  #takeEvents(): string {
    const text = this.#pieces.join('');
    const output: string[] = [];
    let at = 0;
    eventEnd.lastIndex = 0;
    for (let end = eventEnd.exec(text); end !== null; end = eventEnd.exec(text)) {
      output.push(this.#filter(text.slice(at, eventEnd.lastIndex)));
      at = eventEnd.lastIndex;
    }
    this.#pieces = [];
    this.#length = 0;
    this.#tail = '';
    if (at < text.length) this.#keep(text.slice(at));
    else this.#endedWithCarriageReturn = text.endsWith('\r');
    return output.join('');
  }

  #filter(event: string): string {
    const lines = event.split(/\r\n|\n|\r/);
    // Clients leave it out, and so the first line is a field.
    if (this.#isFirst && lines[0]?.startsWith(byteOrderMark)) lines[0] = lines[0].slice(byteOrderMark.length);
    this.#isFirst = false;
    const hasOtherId = this.#replaceIds(lines);
    const values = lines.flatMap((line) => dataOf(line) ?? []);
    if (values.length === 0) return hasOtherId ? lines.join('\n') : event;
    const data = Buffer.from(values.join('\n'), 'latin1').toString('utf8');
    const replaced = this.#replace(data);
    if (replaced === undefined) return '';
    if (replaced === data) return hasOtherId ? lines.join('\n') : event;
    const others = lines.filter((line) => line !== '' && dataOf(line) === undefined);
    const fields = Buffer.from(replaced).toString('latin1').split('\n').map((line) => `data: ${line}`);
    return `${[...others, ...fields].join('\n')}\n\n`;
  }

  #replaceIds(lines: string[]): boolean {
    if (this.#replaceId === undefined) return false;
    let hasChanged = false;
    for (const [index, line] of lines.entries()) {
      if (!line.startsWith('id:')) continue;
      const id = line.slice(line[3] === ' ' ? 4 : 3);
      lines[index] = `id: ${this.#replaceId(id)}`;
      hasChanged = true;
    }
    return hasChanged;
  }
}

function dataOf(line: string): string | undefined {
  if (line === 'data') return '';
  if (!line.startsWith('data:')) return undefined;
  return line.slice(line[5] === ' ' ? 6 : 5);
}
