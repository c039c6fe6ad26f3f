import type { SessionOwner } from '@gatehouse/mcp-protocol';
import type { PreparedUpstream } from '@gatehouse/upstream-request';
import type { Admission } from '../pipeline/admission.ts';

export interface BridgeSession {
  readonly id: string;
  /** For whom it was opened; nobody else finds it. */
  readonly owner: SessionOwner;
  /** As it was when the session was opened. */
  readonly admission: Admission;
  /** As it was when the session was opened. */
  readonly upstream: PreparedUpstream;
  /** Whether somebody is waiting for something of it at this moment. */
  readonly isBusy: boolean;
  /** Resolves when the upstream has been told. May be called again. */
  close(): Promise<void>;
}
