import type { Entered, Place, PreparedLimits } from '@gatehouse/call-limits';
import type { AdmittedCall } from '../pipeline/admitted-call.ts';
import type { CallRecord } from '../pipeline/call-record.ts';
import type { Gateway } from '../pipeline/gateway.ts';
import type { Reply } from '../pipeline/request.ts';
import { whenOver } from '../pipeline/when-over.ts';
import { countCalls } from './count-calls.ts';
import { LimitError } from './limit-error.ts';

type Answer<R extends Reply> = (gateway: Gateway, admitted: AdmittedCall, record: CallRecord) => Promise<R>;

/**
 * Answers a call within the limits of the server that it is for: of a virtual server its own, and for each member that is called those of
 * the member. However often it is sent for want of a good token, it is one call.
 * @throws LimitError, and as `answer` does
 */
export function withinLimits<R extends Reply>(gateway: Gateway, admitted: AdmittedCall, record: CallRecord, answer: Answer<R>): Promise<R> {
  const limits = gateway.callLimits.limiter.limitsOf(admitted.server.limits);
  return limits === undefined ? answer(gateway, admitted, record) : answerLimited(limits, gateway, admitted, record, answer);
}

async function answerLimited<R extends Reply>(limits: PreparedLimits, gateway: Gateway, admitted: AdmittedCall, record: CallRecord, answer: Answer<R>): Promise<R> {
  // Another data plane has passed it on, and has counted it.
  if (admitted.request.wasCounted === true) return answer(gateway, admitted, record);
  const counted = countCalls(admitted, limits);
  if (counted === undefined) return answer(gateway, admitted, record);
  const { server, caller, request } = admitted;
  const entered = await gateway.callLimits.limiter.enter(limits, { server: `${server.workspace}/${server.id}`, caller: caller.id, ...counted });
  const place = placeOf(entered, gateway, admitted, record);
  if (place === undefined) return answer(gateway, admitted, record);

  // Whatever else becomes of it: whoever has left waits for nothing.
  request.onDisconnect(place.leave);
  try {
    const reply = await answer(gateway, admitted, record);
    const { body } = reply;
    if (typeof body === 'object' && reply.onlyListens !== true) return { ...reply, body: whenOver(body, place.leave) };
    place.leave();
    return reply;
  } catch (error) {
    place.leave();
    throw error;
  }
}

/** @throws LimitError */
function placeOf(entered: Entered, { callLimits }: Gateway, { server }: AdmittedCall, record: CallRecord): Place | undefined {
  if (!('limit' in entered)) return entered.place;
  record.answeredBy = server;
  callLimits.refused(server, entered.limit);
  throw new LimitError(entered, `${server.workspace}/${server.name}`);
}
