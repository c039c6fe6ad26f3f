/**
 * Follows the bytes of an event stream (WHATWG HTML, server-sent events) just far enough to know whether the last one ended
 * an event, so that a comment may be put there without breaking one in two.
 */
export class EventBoundary {
  // The last line feeds seen in a row; two end an event. A stream begins at a boundary.
  #lineEnds = 2;
  #afterCarriageReturn = false;

  push(chunk: Buffer): void {
    // Only the tail matters: everything before its last four bytes is inside an event or before one.
    for (let index = Math.max(0, chunk.length - 4); index < chunk.length; index += 1) this.#byte(chunk[index] as number);
  }

  get atBoundary(): boolean {
    return this.#lineEnds >= 2;
  }

  #byte(byte: number): void {
    const lineFeed = byte === 0x0a;
    const carriageReturn = byte === 0x0d;
    if (!lineFeed && !carriageReturn) this.#lineEnds = 0;
    else if (!(lineFeed && this.#afterCarriageReturn)) this.#lineEnds += 1;
    this.#afterCarriageReturn = carriageReturn;
  }
}
