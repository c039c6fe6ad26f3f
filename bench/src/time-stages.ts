import { authenticateCaller, buildUpstreamRequest, CallRecord, cleanHeaders, type Gateway, matchServer, obtainCredentials, parseRoute, readCall, shapeResponse } from './data-plane-parts.ts';
import { upstreamResponse } from './pipeline-fixture.ts';
import { makeRequests } from './sample-requests.ts';
import { type CallTime, timeCalls, type Timing } from './time-calls.ts';

/** Each stage on its own; together they are less than the whole, which also waits between them. */
export async function timeStages(gateway: Gateway, timing: Timing): Promise<[name: string, time: CallTime][]> {
  const requests = (count: number): ReturnType<typeof makeRequests> => makeRequests('legacy', count);
  const [sample] = requests(1);
  const route = sample && parseRoute(sample.target);
  if (!sample || !route) throw new Error('the sample request is not one');
  const snapshot = gateway.snapshot();
  const server = matchServer(snapshot, route);
  const headers = cleanHeaders(sample.headers, gateway.limits.headers);
  const caller = await authenticateCaller(server, headers, snapshot, gateway.authentication);
  const call = await readCall(sample, route, headers, server, caller, gateway.callContext);
  const credentials = await obtainCredentials(server);
  const record = Object.assign(new CallRecord(gateway.now()), { route, server, caller, call, upstreamStatus: 200, upstreamMs: 1 });
  const freshHeaders = (count: number): ReturnType<typeof cleanHeaders>[] => requests(count).map((request) => cleanHeaders(request.headers, gateway.limits.headers));
  const nothing = (count: number): undefined[] => Array.from({ length: count }, () => undefined);

  return [
    ['match: route, server', await timeCalls(timing, requests, (request) => matchServer(snapshot, parseRoute(request.target) ?? route), false)],
    ['clean headers', await timeCalls(timing, requests, (request) => cleanHeaders(request.headers, gateway.limits.headers), false)],
    ['authenticate caller', await timeCalls(timing, freshHeaders, (fresh) => authenticateCaller(server, fresh, snapshot, gateway.authentication))],
    ['read call (body, JSON)', await timeCalls(timing, requests, (request) => readCall(request, route, headers, server, caller, gateway.callContext))],
    ['obtain credentials', await timeCalls(timing, nothing, () => obtainCredentials(server))],
    ['build upstream request', await timeCalls(timing, freshHeaders, (fresh) => buildUpstreamRequest(snapshot, server, call, sample, fresh, credentials, gateway.timeouts), false)],
    ['shape response', await timeCalls(timing, nothing, () => shapeResponse(server, call, [], upstreamResponse, gateway.shapeContext), false)],
    ['metrics', await timeCalls(timing, nothing, () => gateway.record(record), false)],
  ];
}
