/** Bytes, one character each. */
export const decodeBytes = (text: string): string => text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** How often something on the way may decode what another has decoded. */
export const maxDecodings = 4;

const beyondAscii = /[\x80-\xff]/;

/** Letters of other scripts that some servers take for ASCII ones (full-width dots) are in the second. */
const readings = (text: string): string[] => (beyondAscii.test(text) ? [text, Buffer.from(text, 'latin1').toString('utf8').normalize('NFKC')] : [text]);

/**
 * Whether a path, or a part of one, has a segment that somebody takes for dots: with whatever a server may take for the end of a
 * segment, and for no part of it (back slashes, servlets' parameters, dots and blanks at its end).
 * @param text bytes, one character each; decoded as often as its reader may have done it
 */
export const hasDotSegment = (text: string): boolean => readings(text).some((reading) => reading.split(/[/\\?#]/).some((segment) => /^[.\s]*\.[.\s]*(;|$)/.test(segment)));

/** The same, decoded or not, once or more; true as well of what is encoded over and over. */
export function mayHaveDotSegment(text: string): boolean {
  let read = text;
  for (let round = 0; round <= maxDecodings; round += 1) {
    if (hasDotSegment(read)) return true;
    const decoded = decodeBytes(read);
    if (decoded === read) return false;
    read = decoded;
  }
  return true;
}
