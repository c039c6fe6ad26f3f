import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

export type AuditTarget = 'ApiToken' | 'App' | 'Connection' | 'Credential' | 'DataKey' | 'Grant' | 'HeaderPolicy' | 'IdentityProvider' | 'OAuthClient' | 'Person' | 'Server' | 'ServiceAccount' | 'SigningKey' | 'Workspace';

/** What happened, as it is hashed and stored. Names fields, never values. */
export interface AuditEvent {
  readonly sequence: number;
  readonly id: string;
  /** ISO 8601, in milliseconds */
  readonly at: string;
  readonly actor: string;
  /** Of a person, what they were called then. */
  readonly actorName?: string;
  readonly action: string;
  /** The workspace's name; null for what is in none. */
  readonly workspace: string | null;
  readonly targetKind: AuditTarget;
  readonly targetId: string;
  readonly targetName: string;
  /** JSON pointers */
  readonly fields: readonly string[];
  /** Hash of the event before; empty for the first. */
  readonly prevHash: string;
}

export interface ChainedAuditEvent extends AuditEvent {
  readonly hash: string;
}

/** Each event's hash covers the hash before it: a changed, removed or inserted event breaks every one after it. */
export function hashAuditEvent(event: AuditEvent): string {
  return createHash('sha256').update(canonicalJson(event)).digest('base64url');
}
