import { type AttributeValue, type Span, spanKinds } from './span.ts';

/*
 * OTLP/JSON (opentelemetry-proto, docs/specification.md, JSON Protobuf encoding): ids are hexadecimal, 64-bit numbers are text,
 * names in camel case.
 */

const errorStatus = ',"status":{"code":2}';
/** Span flags of trace.proto: whether what follows is known, and whether the parent is remote. */
const knowsRemote = 0x100;
const isRemote = 0x200;

/** @param epochMs of the moment that `startMs` and `endMs` count from */
export function spanText(span: Span, epochMs: number): string {
  const { traceId, spanId, parent, hasRemoteParent, name, kind, startMs, endMs = startMs, attributes, link, hasFailed, isRandom } = span;
  const flags = 1 | (isRandom ? 2 : 0) | knowsRemote | (hasRemoteParent && parent !== undefined ? isRemote : 0);
  const parentId = parent === undefined ? '' : `,"parentSpanId":"${parent.spanId}"`;
  const links = link === undefined ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`;
  const times = `"startTimeUnixNano":"${nanoseconds(epochMs + startMs)}","endTimeUnixNano":"${nanoseconds(epochMs + endMs)}"`;
  return `{"traceId":"${traceId}","spanId":"${spanId}"${parentId},"flags":${flags},"name":${text(name)},"kind":${spanKinds[kind]},${times},"attributes":${attributesText(attributes)}${links}${hasFailed ? errorStatus : ''}}`;
}

/** @param flat names and values in turn; names are tokens, in which nothing has to be escaped */
export function attributesText(flat: readonly AttributeValue[]): string {
  let written = '[';
  for (let index = 0; index + 1 < flat.length; index += 2) {
    if (index > 0) written += ',';
    written += `{"key":"${flat[index]}","value":${valueText(flat[index + 1] as AttributeValue)}}`;
  }
  return `${written}]`;
}

function valueText(value: AttributeValue): string {
  if (typeof value === 'string') return `{"stringValue":${text(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** What JSON has as it is, which almost everything is: to look costs a fifth of writing it. */
const plain = /^[ !#-[\]-~]*$/;

/** Half a character would make the whole batch unreadable for its receiver. */
const text = (value: string): string => (plain.test(value) ? `"${value}"` : JSON.stringify(value.toWellFormed()));

/** More digits than a number has. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1_000_000)).padStart(6, '0')}`;
}
