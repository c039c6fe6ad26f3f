import { hash } from 'node:crypto';
import { beginsObject, eachMember, skipSpace } from './json-text.ts';

/** What a client adds to a request when it sends it again (MCP 2026-07-28, multi round-trip requests). */
export interface InputAnswer {
  /** Absent where it is none, or no text. */
  readonly requestState: string | undefined;
  /** As JSON. */
  readonly inputResponses: unknown;
  /** The body without both; every other byte is as it was. */
  readonly body: Buffer;
}

const answerMembers = new Set(['inputResponses', 'requestState']);

/** @returns `undefined` where nothing is answered, or where it could be read in two ways */
export function readInputAnswer(body: Buffer): InputAnswer | undefined {
  if (!body.includes('"inputResponses"')) return undefined;
  const text = body.toString('utf8');
  const params = paramsOf(text);
  if (params === undefined) return undefined;
  const values = new Map<string, string>();
  let isAmbiguous = false;
  const kept: string[] = [];
  eachMember(text, params.from, (name, from, to, nameFrom) => {
    if (!answerMembers.has(name)) return void kept.push(text.slice(nameFrom, to));
    isAmbiguous ||= values.has(name);
    values.set(name, text.slice(from, to));
  });
  const responses = values.get('inputResponses');
  if (isAmbiguous || responses === undefined) return undefined;
  const state: unknown = JSON.parse(values.get('requestState') ?? 'null');
  const stripped = `${text.slice(0, params.from)}{${kept.join(',')}}${text.slice(params.to)}`;
  return { requestState: typeof state === 'string' ? state : undefined, inputResponses: JSON.parse(responses), body: Buffer.from(stripped) };
}

/** Names a request by what it asks for: the same when it is sent again with another id, and with answers. */
export function requestDigest(body: Buffer): string {
  const text = body.toString('utf8');
  const parts: string[][] = [];
  const start = skipSpace(text, 0);
  if (beginsObject(text, start)) eachMember(text, start, (name, from, to) => void (name === 'method' && parts.push([text.slice(from, to)])));
  const params = paramsOf(text);
  if (params !== undefined) {
    eachMember(text, params.from, (name, from, to) => void (name !== '_meta' && !answerMembers.has(name) && parts.push([name, text.slice(from, to)])));
  }
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

function paramsOf(text: string): { readonly from: number; readonly to: number } | undefined {
  const start = skipSpace(text, 0);
  const found: { from: number; to: number }[] = [];
  if (beginsObject(text, start)) eachMember(text, start, (name, from, to) => void (name === 'params' && found.push({ from, to })));
  const [params] = found;
  return found.length === 1 && params !== undefined && beginsObject(text, params.from) ? params : undefined;
}
