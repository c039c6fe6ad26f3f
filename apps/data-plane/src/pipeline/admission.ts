import type { TokenGrounds } from '@gatehouse/access-tokens';
import type { Caller } from '@gatehouse/agent-auth';
import type { PreparedServer } from '@gatehouse/upstream-request';

/** A caller that was let in, and the server as it was then. */
export interface Admission {
  readonly server: PreparedServer;
  readonly caller: Caller;
  /** Of the tokens that its call, or what it opened, goes on with at the upstream. */
  readonly grounds?: readonly TokenGrounds[];
  /** Of a virtual server: those of the members that it goes on at. It ends with each of them. */
  readonly members?: readonly Admission[];
}
