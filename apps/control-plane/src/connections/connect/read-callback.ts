import { Secret } from '@gatehouse/sealing';
import { cleanWords } from './clean-words.ts';

/** What a provider sent a browser back with (RFC 6749 section 4.1.2, RFC 9207). */
export interface Callback {
  readonly state: string | undefined;
  readonly iss: string | undefined;
  readonly code: Secret | undefined;
  /** A name as RFC 6749 has them, or `error` where it is none. */
  readonly error: string | undefined;
  /** The provider's own words, clean. */
  readonly words: string | undefined;
}

/** Reads a query. What is there twice is not there: of two nobody knows which one is meant (RFC 6749 section 3.1). */
export function readCallback(query: string): Callback {
  const parameters = new URLSearchParams(query);
  const single = (name: string): string | undefined => {
    const values = parameters.getAll(name);
    return values.length === 1 && values[0] !== '' ? values[0] : undefined;
  };
  const code = single('code');
  const words = single('error_description');
  return {
    state: single('state'),
    iss: single('iss'),
    code: code === undefined ? undefined : new Secret(code),
    error: parameters.has('error') ? errorOf(single('error')) : undefined,
    words: words === undefined ? undefined : cleanWords(words) || undefined,
  };
}

const errorOf = (sent: string | undefined): string => (sent !== undefined && /^[\w.-]{1,64}$/.test(sent) ? sent : 'error');
