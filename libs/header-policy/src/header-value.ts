import type { DropReason } from './verdict.ts';

// RFC 9110 section 5.5: of the control characters only tab may stand in a value.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const control = /[\x00-\x08\x0a-\x1f\x7f]/;

export type UnfitValue = Extract<DropReason, 'empty_value' | 'value_too_long' | 'invalid_value'>;

/** Without the white space around it: space and tab (RFC 9110 section 5.6.3), not what JavaScript trims, which may be half of a UTF-8 character. */
export function trimValue(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

/** What is wrong with a trimmed value, one character a byte, or `undefined` (D4, docs/rules.md). Never cut, never mended. */
export function unfitValue(value: string, maxBytes: number): UnfitValue | undefined {
  if (value === '') return 'empty_value';
  if (value.length > maxBytes) return 'value_too_long';
  return control.test(value) ? 'invalid_value' : undefined;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
