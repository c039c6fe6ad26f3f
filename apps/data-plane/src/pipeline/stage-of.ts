import type { CallRecord } from './call-record.ts';
import type { Stage } from './stage-clock.ts';

/** Where a call that failed had got to: by what was known of it, so that one that goes well pays nothing for it. */
export function stageOf({ server, caller, call, credentials, upstreamMs }: CallRecord): Stage | 'match' {
  if (server === undefined) return 'match';
  if (caller === undefined) return 'authenticate';
  if (call === undefined) return 'read';
  if (upstreamMs !== undefined) return 'answer';
  return credentials === undefined ? 'prepare' : 'upstream';
}
