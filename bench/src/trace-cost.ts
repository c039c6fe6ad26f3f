import { Tracer } from '@gatehouse/service-runtime';
import { spanText } from '../../libs/service-runtime/src/tracing/span-text.ts';
import { type Gateway, handleRequest, type IncomingRequest } from './data-plane-parts.ts';
import { makeGateway, makeRecord, makeSnapshot } from './pipeline-fixture.ts';
import { printTable } from './print-table.ts';
import { makeRequests } from './sample-requests.ts';
import { type CallTime, timeCalls, type Timing } from './time-calls.ts';

/* What spans cost a call: made, described and written down for the collector, without sending them (docs/traces.md). */

const timing: Timing = { calls: 200, rounds: process.argv.includes('--quick') ? 300 : 2_000 };
const snapshot = await makeSnapshot(1_000);
const untraced = makeGateway(snapshot, makeRecord('info'));
let written = 0;

function traced(isSampled: boolean): Gateway {
  const tracer = new Tracer({ sampler: () => isSampled, sink: (span) => void (written += spanText(span, 1_763_760_000_000).length), now: () => performance.now() });
  return { ...untraced, tracer, record: (record) => {
    untraced.record(record);
    record.trace?.finish(record);
  } };
}

/** To the end of the answer, as its caller reads it: until then a call that is traced is not over. */
async function answer(gateway: Gateway, request: IncomingRequest): Promise<void> {
  const { status, body } = await handleRequest(gateway, request);
  if (status !== 200) throw new Error(`status ${status}`);
  if (typeof body === 'object') body.pipe({ write: () => true, end: () => undefined, fail: () => undefined });
}

const own = (request: IncomingRequest, flags: '00' | '01'): IncomingRequest => ({ ...request, headers: request.headers.map((text) => text.replace(/^(00-[0-9a-f]{32}-[0-9a-f]{16}-)01$/, `$1${flags}`)), readBody: (limit) => request.readBody(limit), onDisconnect: (listener) => request.onDisconnect(listener) });
const time = (gateway: Gateway, flags: '00' | '01' = '01'): Promise<CallTime> =>
  timeCalls(timing, (count) => makeRequests('legacy', count, '').map((request) => own(request, flags)), (request) => answer(gateway, request));

const rows: [string, CallTime][] = [
  ['nothing is traced', await time(untraced)],
  ['the caller does not keep the trace, nor do we', await time(traced(false), '00')],
  ['the caller keeps it, we do not (traceidratio)', await time(traced(false))],
  ['kept: two spans', await time(traced(true))],
  ['nothing is traced, again', await time(untraced)],
];
printTable('A call with its line in the log, no socket', ['per call', 'median µs', 'fastest tenth µs'], rows.map(([name, { median, fastestTenth }]) => [name, median.toFixed(2), fastestTenth.toFixed(2)]));
if (written === 0) throw new Error('no span was written');
