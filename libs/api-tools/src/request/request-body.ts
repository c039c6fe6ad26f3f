import { type Problem, pointerOf } from '@gatehouse/errors';
import type { ApiBody, ApiBodyField } from '../api-operation.ts';
import { isObject, type JsonObject, own } from '../json-value.ts';
import { textOfValue } from './expand-value.ts';
import { type FileValue, fileValue } from './file-value.ts';
import { type FieldValue, formBody } from './form-body.ts';
import { type FilePart, multipartBody, type Part } from './multipart-body.ts';

export interface RequestBody {
  readonly contentType: string;
  readonly body: string | Buffer;
}

interface GivenField extends FieldValue {
  readonly field: Pick<ApiBodyField, 'argument' | 'name'> & { readonly file?: true | undefined };
}

/** The body that arguments make; `undefined` when none of it is given and none is required. */
export function requestBody(body: ApiBody, args: JsonObject, problems: Problem[]): RequestBody | undefined {
  return body.argument === undefined ? ofFields(body, args, problems) : ofOne(body, body.argument, own(args, body.argument), problems);
}

function ofOne(body: ApiBody, argument: string, value: unknown, problems: Problem[]): RequestBody | undefined {
  if (value === undefined) {
    if (body.required) problems.push({ pointer: pointerOf([argument]), detail: 'is required: it is the body of the request' });
    return undefined;
  }
  switch (body.kind) {
    case 'json':
      return { contentType: body.mediaType, body: JSON.stringify(value) };
    case 'text':
      return { contentType: body.mediaType, body: textOfValue(value) };
    case 'binary': {
      const file = readFile(value, [argument], problems);
      // A range such as image/* is not what one file is.
      const contentType = file?.contentType ?? (body.mediaType.includes('*') ? 'application/octet-stream' : body.mediaType);
      return file && { contentType, body: file.bytes };
    }
    case 'form':
    case 'multipart': {
      if (!isObject(value)) problems.push({ pointer: pointerOf([argument]), detail: 'must be an object: its members are the fields of a form' });
      const members = Object.entries(isObject(value) ? value : {});
      return written(body, members.map(([name, member]) => ({ field: { argument, name }, name, value: member })), problems);
    }
  }
}

function ofFields(body: ApiBody, args: JsonObject, problems: Problem[]): RequestBody | undefined {
  const given = (body.fields ?? []).flatMap((field): GivenField[] => {
    const value = own(args, field.argument);
    return value === undefined ? [] : [{ field, name: field.name, value, encoding: field.encoding }];
  });
  if (given.length === 0 && !body.required) return undefined;
  return written(body, given, problems);
}

function written({ kind, mediaType }: ApiBody, given: readonly GivenField[], problems: Problem[]): RequestBody {
  if (kind === 'form') return { contentType: mediaType, body: formBody(given) };
  if (kind === 'multipart') return multipartBody(given.flatMap((field) => partsOf(field, problems)));
  return { contentType: mediaType, body: JSON.stringify(Object.fromEntries(given.map(({ name, value }) => [name, value]))) };
}

function partsOf({ field, name, value, encoding }: GivenField, problems: Problem[]): (Part | FilePart)[] {
  const contentType = encoding?.contentType;
  if (field.file !== true) return [{ name, value, contentType }];
  const files = Array.isArray(value) ? value.map((entry, index) => readFile(entry, [field.argument, index], problems)) : [readFile(value, [field.argument], problems)];
  return files.flatMap((file) => (file === undefined ? [] : [{ name, file, contentType }]));
}

function readFile(value: unknown, path: readonly PropertyKey[], problems: Problem[]): FileValue | undefined {
  const file = fileValue(value);
  if (typeof file !== 'string') return file;
  problems.push({ pointer: pointerOf(path), detail: file });
  return undefined;
}
