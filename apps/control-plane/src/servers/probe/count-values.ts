const quotation = 0x22;
const backslash = 0x5c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
/** What begins a value, or comes before the next one: `[`, `{` and `,`. */
const beginnings = new Set([0x5b, 0x7b, 0x2c]);

/**
 * Counts the values of JSON as its bytes come, without reading it, also where it stands in a stream of events: no string goes on
 * over the end of a line, so that a line that is no JSON does not change how the next one is understood.
 * @returns takes the next bytes, and says how many values there were up to now: at least so many as JSON.parse would make
 */
export function countValues(): (bytes: Uint8Array) => number {
  let count = 0;
  let isInString = false;
  let isEscaped = false;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === lineFeed || byte === carriageReturn) {
        isInString = false;
        isEscaped = false;
      } else if (isEscaped) isEscaped = false;
      else if (byte === quotation) isInString = !isInString;
      else if (isInString) isEscaped = byte === backslash;
      else if (beginnings.has(byte)) count += 1;
    }
    return count;
  };
}
