/** RFC 3986 section 2.3: everything but unreserved characters. */
export const percentEncode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * `allowReserved`: reserved characters and percent-encoded triples stay as they are (RFC 6570 section 3.2.3), but for those that a
 * query cannot have or that would end the value, which are for whoever writes the URL to encode (OpenAPI 3.1.1 section 4.8.12.2).
 */
export const encodeReserved = (text: string): string => text.replace(/%[0-9A-Fa-f]{2}|[:/?@!$'()*,;=]|[^%:/?@!$'()*,;=]+|%/g, (part) => (/^(%..|[:/?@!$'()*,;=])$/.test(part) ? part : percentEncode(part)));

/** What a path’s template says literally: what a path may have stays, percent-encoded triples included (RFC 3986 section 3.3). */
export const encodeLiteral = (text: string): string => text.replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+/g, percentEncode);
