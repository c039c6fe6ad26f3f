import { revocationsId } from '@gatehouse/gateway-config';
import type { Snapshot } from './current-snapshot.ts';

/**
 * What revisions name as revoked that they did not name before: whoever disconnects twice is named anew, with another time. What a
 * lost message hid is still named when the next one arrives.
 */
export class NewRevocations {
  #known: ReadonlySet<string> = new Set();

  /** @returns connections, apps, servers and people whose tokens are forgotten */
  in({ documents }: Snapshot): ReadonlySet<string> {
    const document = documents.get(revocationsId);
    const revoked = document?.kind === 'revocations' ? document.revoked : [];
    const fresh = revoked.filter((revocation) => !this.#known.has(keyOf(revocation)));
    this.#known = new Set(revoked.map(keyOf));
    return new Set(fresh.map(({ subject }) => subject));
  }
}

const keyOf = ({ subject, until }: { readonly subject: string; readonly until: number }): string => `${subject} ${until}`;
