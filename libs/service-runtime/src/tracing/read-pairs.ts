/** RFC 9110 section 5.6.2; keys of resources are plain words, and fit it too. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * `key=value,key=value`, as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS have it (W3C Baggage without properties).
 * @returns `undefined` where it is something else
 */
export function readPairs(text: string): [name: string, value: string][] | undefined {
  const pairs = text.split(',').map((pair) => pair.trim()).filter((pair) => pair !== '').map(readPair);
  return pairs.every((pair) => pair !== undefined) ? pairs : undefined;
}

function readPair(pair: string): [name: string, value: string] | undefined {
  const equals = pair.indexOf('=');
  const name = pair.slice(0, equals).trim();
  if (equals === -1 || !token.test(name)) return undefined;
  try {
    const value = decodeURIComponent(pair.slice(equals + 1).trim());
    // They become headers.
    return /\p{Cc}/u.test(value) ? undefined : [name, value];
  } catch {
    return undefined;
  }
}
