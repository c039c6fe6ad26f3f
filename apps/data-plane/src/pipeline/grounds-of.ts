import type { TokenGrounds } from '@gatehouse/access-tokens';
import type { Credential } from '@gatehouse/app-auth';

const none: readonly TokenGrounds[] = [];

/** What the tokens among these credentials rest on; nothing of the tokens themselves, as it may be kept for as long as a stream is open. */
export function groundsOf(credentials: readonly Credential[]): readonly TokenGrounds[] {
  let grounds = none;
  for (const { token } of credentials) {
    if (token === undefined || token.subjects.length === 0) continue;
    const { subjects, askedAt } = token;
    grounds = [...grounds, askedAt === undefined ? { subjects } : { subjects, askedAt }];
  }
  return grounds;
}
