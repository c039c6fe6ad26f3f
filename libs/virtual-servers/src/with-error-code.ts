import { editObject } from './edit-json.ts';

/** An error under the code that another revision has for it; what has another code, or is no error, stays as it is. */
export function withErrorCode(text: string, code: number, becomes: number): string {
  if (!text.includes('"error"')) return text;
  const edit = (own: string | undefined): string | undefined => (own === String(code) ? String(becomes) : own);
  return editObject(text, { error: (error) => (error?.startsWith('{') === true ? editObject(error, { code: edit }) : error) });
}
