import { beginsObject, eachMember, skipSpace } from '@gatehouse/mcp-protocol';

const quote = '"';

/**
 * A message with another `params._meta.traceparent`; the same one where it has not what it was read to have, in so many characters.
 * Of version 00 both are 55 characters long: nothing else in the message changes, nor does its length.
 */
export function withTraceparent(message: Buffer, from: string, to: string): Buffer {
  if (from.length !== to.length || !from.startsWith('00-')) return message;
  // A character for each byte: positions in the text are positions in the message.
  const text = message.toString('latin1');
  const at = traceparentIn(text);
  if (at === undefined || text.slice(at, at + from.length + 2) !== quote + from + quote) return message;
  const changed = Buffer.from(message);
  changed.write(to, at + 1, 'latin1');
  return changed;
}

const traceparentIn = (text: string): number | undefined => memberOf(text, memberOf(text, memberOf(text, skipSpace(text, 0), 'params'), '_meta'), 'traceparent');

/** Of two with one name the last, as whoever parses it has it. */
function memberOf(text: string, start: number | undefined, wanted: string): number | undefined {
  if (start === undefined || !beginsObject(text, start)) return undefined;
  let found: number | undefined;
  eachMember(text, start, (name, from) => {
    if (name === wanted) found = from;
  });
  return found;
}
