import type { Problem } from '@gatehouse/errors';

const minLength = 12;
const maxLength = 256;
const minDistinct = 5;

/** As it is stored and compared: whoever types it with capitals is the same. */
export const normalEmail = (text: string): string => text.normalize('NFC').trim().toLowerCase();

export function emailProblems(email: string): Problem[] {
  const isEmail = email.length <= 254 && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) && email.isWellFormed();
  return isEmail ? [] : [{ pointer: '/email', detail: 'The e-mail address is not one.', code: 'invalid_value' }];
}

/** Long, and not the same few characters again and again; nothing else makes a password better (NIST SP 800-63B appendix A). */
export function passwordProblems(password: string, email: string): Problem[] {
  const characters = [...password];
  const detail =
    characters.length < minLength ? `The password needs at least ${minLength} characters.`
    : characters.length > maxLength ? `The password may have at most ${maxLength} characters.`
    : new Set(characters).size < minDistinct ? `The password needs at least ${minDistinct} different characters.`
    : normalEmail(password) === email ? 'The password must not be the e-mail address.'
    : undefined;
  return detail === undefined ? [] : [{ pointer: '/password', detail, code: 'weak_password' }];
}
