import type { Sql } from '../database/sql.ts';
import { type ChainedAuditEvent, hashAuditEvent } from './audit-event.ts';
import { readAuditChain } from './audit-events.store.ts';

export type ChainVerdict = { readonly intact: true; readonly events: number } | { readonly intact: false; readonly brokenAt: number };

const batchSize = 1_000;

/** Recomputes every hash of the chain, and that it ends where its head says. */
export async function verifyAuditChain(sql: Sql): Promise<ChainVerdict> {
  const [head] = await sql<{ sequence: number; hash: string }>('select sequence, hash from audit_head where id = 1');
  let last = { sequence: 0, hash: '' };
  for (;;) {
    const batch = await readAuditChain(sql, last.sequence, batchSize);
    for (const event of batch) {
      if (!continues(event, last)) return { intact: false, brokenAt: event.sequence };
      last = event;
    }
    if (batch.length < batchSize) break;
  }
  const endsAtHead = head !== undefined && last.sequence >= head.sequence && (last.sequence > head.sequence || last.hash === head.hash);
  return endsAtHead ? { intact: true, events: last.sequence } : { intact: false, brokenAt: last.sequence + 1 };
}

function continues({ hash, ...event }: ChainedAuditEvent, last: { sequence: number; hash: string }): boolean {
  return event.sequence === last.sequence + 1 && event.prevHash === last.hash && hashAuditEvent(event) === hash;
}
