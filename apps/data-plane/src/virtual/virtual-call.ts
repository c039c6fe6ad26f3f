import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { VirtualRequest } from '@gatehouse/virtual-servers';
import type { PreparedVirtual } from '@gatehouse/upstream-request';
import type { MemberCalls } from './member-calls.ts';
import type { Members } from './members.ts';

/** One call of a virtual server, with all that answering it needs. */
export interface VirtualCall {
  readonly gateway: Gateway;
  readonly admitted: AdmittedCall;
  readonly record: CallRecord;
  readonly virtual: PreparedVirtual;
  readonly members: Members;
  readonly calls: MemberCalls;
  /** Of a POST. */
  readonly asked: VirtualRequest;
}

/** The others have answered by then, or will not either. */
const maxPatienceMs = 10_000;

export const patienceMs = ({ timeouts: { responseMs } }: Gateway): number => Math.min(responseMs, maxPatienceMs);
