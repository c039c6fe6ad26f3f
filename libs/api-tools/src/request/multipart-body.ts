import { randomUUID } from 'node:crypto';
import { textOfValue } from './expand-value.ts';
import type { FileValue } from './file-value.ts';

export interface Part {
  readonly name: string;
  readonly value: unknown;
  readonly contentType?: string | undefined;
}

export interface FilePart {
  readonly name: string;
  readonly file: FileValue;
  readonly contentType?: string | undefined;
}

/** multipart/form-data (RFC 7578): text as text, lists by repeating the name, objects as JSON, files as their bytes. */
export function multipartBody(parts: readonly (Part | FilePart)[]): { contentType: string; body: Buffer } {
  // As unguessable as the parts are free to be: whoever wrote them cannot end one early.
  const boundary = `gatehouse-${randomUUID()}`;
  const pieces: Buffer[] = [];
  for (const part of parts.flatMap(spread)) {
    const { head, content } = 'file' in part ? fileParts(part) : textParts(part);
    pieces.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(part.name)}"${head}\r\n\r\n`), content, Buffer.from('\r\n'));
  }
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]) };
}

const spread = (part: Part | FilePart): (Part | FilePart)[] => {
  if ('file' in part) return [part];
  if (Array.isArray(part.value)) return part.value.filter((entry) => entry !== null).map((value: unknown) => ({ ...part, value }));
  return part.value === null || part.value === undefined ? [] : [part];
};

function fileParts({ file, contentType }: FilePart): { head: string; content: Buffer } {
  const type = file.contentType ?? contentType ?? 'application/octet-stream';
  return { head: `; filename="${quoted(file.filename ?? 'file')}"\r\nContent-Type: ${type}`, content: file.bytes };
}

function textParts({ value, contentType }: Part): { head: string; content: Buffer } {
  // RFC 7578 section 4.4: text needs no type of its own.
  const type = contentType ?? (typeof value === 'object' ? 'application/json' : undefined);
  return { head: type === undefined ? '' : `\r\nContent-Type: ${type}`, content: Buffer.from(type !== undefined && /json\b/.test(type) ? JSON.stringify(value) : textOfValue(value)) };
}

/** As browsers do (HTML, multipart/form-data encoding algorithm): nothing of a name ends its line or its quotes. */
const quoted = (text: string): string => text.replace(/\r\n|\r|\n/g, '%0D%0A').replaceAll('"', '%22');
