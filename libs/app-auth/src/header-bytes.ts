/**
 * A header value as the Latin-1 string that transports write byte by byte: Latin-1 text as it is, anything beyond as its
 * UTF-8 bytes (RFC 9110 section 5.5 leaves the encoding to the parties).
 */
export function toHeaderBytes(value: string): string {
  for (let index = 0; index < value.length; index += 1) {
    if (value.charCodeAt(index) > 0xff) return Buffer.from(value, 'utf8').toString('latin1');
  }
  return value;
}
