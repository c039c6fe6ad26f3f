import type { Caller } from '@gatehouse/agent-auth';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** A caller that was let in, and the server as it was then. */
export interface Admission {
  readonly server: PreparedServer;
  readonly caller: Caller;
}
