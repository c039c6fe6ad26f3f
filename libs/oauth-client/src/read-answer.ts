/** An answer as it was read: nothing of it is trusted yet. */
export interface Answer {
  readonly status: number;
  /** Undefined where it is neither JSON nor a form. */
  readonly fields: Fields | undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what a token endpoint answered. RFC 6749 says JSON (section 5.1); some send a form, or JSON under another name, and
 * proxies in front of them send pages of their own.
 */
export async function readAnswer(response: Response): Promise<Answer> {
  // `text()` drops a byte order mark.
  const text = (await response.text()).trim();
  return { status: response.status, fields: fieldsOf(text) };
}

function fieldsOf(text: string): Fields | undefined {
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text) as Fields;
    } catch {
      return undefined;
    }
  }
  // One that begins as a form does; a page does not.
  return /^[\w.-]+=[^<\s]*$/.test(text) ? Object.fromEntries(new URLSearchParams(text)) : undefined;
}

/** What is at a JSON pointer (RFC 6901), as long as it is an object. */
export function fieldsAt(fields: Fields, pointer: string): Fields | undefined {
  let value: unknown = fields;
  for (const key of pointer.split('/').slice(1)) value = isFields(value) ? value[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  return isFields(value) ? value : undefined;
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
