import type { Admission } from '../admission.ts';
import type { Call } from '../read-call.ts';
import type { Reply } from '../request.ts';
import type { PendingConnections } from './pending-connections.ts';

/** The stream that a legacy client only listens on: what it waits for may be the gateway's to say, when an account has to be connected again. */
export function tellWhenConnected(pending: PendingConnections, { server: { id, connects }, caller, grounds = [] }: Admission, call: Call, reply: Reply): Reply {
  const { body, isEventStream } = reply;
  // HTTP+SSE has no such session: its stream has to begin with the upstream’s own event.
  if (!connects || call.method !== 'GET' || call.connectSession === undefined || isEventStream !== true || typeof body !== 'object') return reply;
  return { ...reply, body: pending.watch(grounds.flatMap(({ subjects }) => subjects), id, caller, body) };
}
