/** One event of a stream, as bytes. Data of several lines gets a field for each (WHATWG HTML, section 9.2.6). */
export function formatEvent(type: 'message' | 'endpoint', data: string): Buffer {
  return Buffer.from(`event: ${type}\ndata: ${data.split(/\r\n|\n|\r/).join('\ndata: ')}\n\n`);
}
