import { createHash } from 'node:crypto';

/** The id under which the audit trail knows what has none in the form of a UUID: always the same (RFC 9562 section 5.8). */
export function auditTargetId(id: string): string {
  const bytes = createHash('sha256').update(id, 'utf8').digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
