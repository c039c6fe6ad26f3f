import type { Person } from '../../identity/person.ts';

/** Somebody, as a page says who they are. */
export const personLabel = ({ name, email }: Person): string => (email === undefined || email === name ? name : `${name} (${email})`);
