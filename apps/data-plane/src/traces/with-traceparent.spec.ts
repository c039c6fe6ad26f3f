import { expect, it } from 'vitest';
import { withTraceparent } from './with-traceparent.ts';

const from = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const to = '00-4bf92f3577b34da6a3ce929d0e0e4736-53995c3f42cd8ad8-01';
const changed = (text: string): string => withTraceparent(Buffer.from(text), from, to).toString();

it.each([
  [`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"traceparent":"${from}","tracestate":"a=1"}}}`],
  // What else has these characters is the caller's.
  [`{"id":"${from}","params":{"arguments":{"traceparent":"ARG","_meta":{"traceparent":"ARG"}},"_meta":{"a":"ARG","traceparent":"${from}"}}}`],
  [` {\n "params" : { "ü€😀" : "\\"}{", "_meta" : { "x": [{}, "]"], "traceparent" : "${from}" } } } `],
])('only that one value is another: %#', (text) => {
  const message = text.replaceAll('ARG', from);
  const at = message.lastIndexOf(from);
  expect(changed(message)).toBe(message.slice(0, at) + to + message.slice(at + from.length));
});

it.each([
  `{"params":{"_meta":{}},"traceparent":"${from}"}`,
  `{"params":{"arguments":{"_meta":{"traceparent":"${from}"}}}}`,
  `{"params":[{"_meta":{"traceparent":"${from}"}}]}`,
  `{"params":{"_meta":{"traceparent":"\\u0030${from.slice(1)}"}}}`,
  `{"params":{"_meta":{"traceparent":"${from}-more"}}}`,
  `[{"params":{"_meta":{"traceparent":"${from}"}}}]`,
  '',
])('what has none goes on as it is: %s', (message) => expect(changed(message)).toBe(message));

it('one of another version, which may be longer, is left alone', () => {
  const later = `cc${from.slice(2)}`;
  const message = Buffer.from(`{"params":{"_meta":{"traceparent":"${later}"}}}`);
  expect(withTraceparent(message, later, to)).toBe(message);
});

it('the message itself stays what it was: it may be sent again', () => {
  const message = Buffer.from(`{"params":{"_meta":{"traceparent":"${from}"}}}`);
  const before = message.toString();
  expect(withTraceparent(message, from, to)).not.toBe(message);
  expect(message.toString()).toBe(before);
});
