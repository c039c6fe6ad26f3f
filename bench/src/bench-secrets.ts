import { randomBytes } from 'node:crypto';
import { issueServiceAccountKey } from '@gatehouse/agent-auth';

/** The secrets of one run: what the caller shows, and what the upstream must get instead. */
export interface BenchSecrets {
  readonly account: ReturnType<typeof issueServiceAccountKey>;
  /** `Authorization` of the caller. */
  readonly authorization: string;
  readonly upstreamKey: string;
  /** Of the snapshot. */
  readonly snapshotKey: Buffer;
}

export function makeSecrets(): BenchSecrets {
  const account = issueServiceAccountKey();
  return { account, authorization: `Bearer ${account.key.reveal()}`, upstreamKey: randomBytes(24).toString('base64url'), snapshotKey: randomBytes(32) };
}
