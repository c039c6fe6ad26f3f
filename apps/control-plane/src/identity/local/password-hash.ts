import { GatewayError } from '@gatehouse/errors';
import { hash, verify } from '@node-rs/argon2';

/** OWASP's first recommendation for argon2id, which is the library's default algorithm. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Each takes 19 MiB and tens of milliseconds: of more than these at once, those who come later are sent away. */
const maxAtOnce = 16;
let running = 0;

/** One text for one password, however a keyboard spells it (NIST SP 800-63B section 5.1.1.2). */
const normalised = (password: string): string => password.normalize('NFKC');

export const hashPassword = (password: string): Promise<string> => bounded(() => hash(normalised(password), parameters));

/** Of a password that nobody has. */
let nobody: Promise<string> | undefined;

/** Whether it is the password. Without one to compare with, the same work is done as with a wrong one. */
export async function isPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  nobody ??= hash(crypto.randomUUID(), parameters);
  const known = await nobody;
  const isRight = await bounded(() => verify(stored ?? known, normalised(password)));
  return isRight && stored !== null && stored !== undefined;
}

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (running >= maxAtOnce) throw new GatewayError('too_many_attempts', { detail: 'passwords are being hashed' });
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
  }
}
