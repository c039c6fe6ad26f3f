import { isObject, own } from '../json-value.ts';

export interface FileValue {
  readonly bytes: Buffer;
  readonly filename?: string | undefined;
  readonly contentType?: string | undefined;
}

// RFC 9110 sections 8.3.1 and 5.6.4, parameters included. No two of its parts take the same character, so that no text keeps it busy.
const mediaType = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+( ?; ?[!#$%&'*+\-.^_`|~0-9A-Za-z]+=([!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"))*$/;

/** A file as a caller gives it, or what is wrong with it. */
export function fileValue(value: unknown): FileValue | string {
  const base64 = isObject(value) ? own(value, 'base64') : undefined;
  if (!isObject(value) || typeof base64 !== 'string') return 'must be a file: {"base64": "…", "filename": "…", "contentType": "…"}';
  const filename = own(value, 'filename');
  const contentType = own(value, 'contentType');
  if (filename !== undefined && (typeof filename !== 'string' || !filename.isWellFormed() || filename.length > 1_000)) return 'has a filename that is not text of at most 1000 characters';
  if (contentType !== undefined && (typeof contentType !== 'string' || contentType.length > 200 || !mediaType.test(contentType))) return 'has a contentType that is no media type, such as image/png';
  const bytes = bytesOf(base64);
  return bytes === undefined ? 'has a base64 that is none' : { bytes, filename, contentType };
}

/** Node takes whatever it can read for base64; what it leaves out would be missing from the file. RFC 4648 sections 4 and 5, padding as it may be. */
function bytesOf(base64: string): Buffer | undefined {
  const text = base64.replace(/[\r\n]/g, '').replace(/={1,2}$/, '');
  if (text.length % 4 === 1 || !/^([A-Za-z0-9+/]*|[A-Za-z0-9_-]*)$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
