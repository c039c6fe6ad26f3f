import { handleRequest } from './data-plane-parts.ts';
import { makeGateway, makeRecord, makeSnapshot } from './pipeline-fixture.ts';
import { printTable, printTarget } from './print-table.ts';
import { makeRequests, type RequestKind } from './sample-requests.ts';
import { timeCalls, type Timing } from './time-calls.ts';
import { timeStages } from './time-stages.ts';

const targetMicroseconds = 6;
const quick = process.argv.includes('--quick');
const timing: Timing = { calls: 1_000, rounds: quick ? 80 : 300 };

const snapshot = makeSnapshot(1_000);
const gateway = makeGateway(snapshot, makeRecord('warn'));
const logging = makeGateway(snapshot, makeRecord('info'));
const owner = { workspace: 'default', serverId: 'server-orders', upstreamUrl: 'https://orders.example/mcp', callerId: 'service-account:account-bench' };
const sessionId = gateway.callContext.sessions.seal('mcp-session', owner, 'upstream-session-4711');

/** A pipeline that fails is fast: what is timed must be a call that goes through. */
async function checkCall(kind: RequestKind): Promise<void> {
  for (const request of makeRequests(kind, 1, sessionId)) {
    const { status, body } = await handleRequest(gateway, request);
    if (status !== 200) throw new Error(`${kind}: ${status} ${typeof body === 'string' ? body : ''}`);
  }
}

const timeKind = async (kind: RequestKind, through = gateway): Promise<number> => {
  await checkCall(kind);
  return timeCalls(timing, (count) => makeRequests(kind, count, sessionId), (request) => handleRequest(through, request));
};

const legacy = await timeKind('legacy');
const rows: [string, number][] = [
  ['legacy call (2025-11-25)', legacy],
  ['  with a session', await timeKind('legacy with session')],
  ['  with its line in the log', await timeKind('legacy', logging)],
  ['modern call (2026-07-28)', await timeKind('modern')],
];
const format = ([name, value]: readonly [string, number]): string[] => [name, value.toFixed(2)];
printTable('The pipeline alone, no socket: medians', ['', 'µs per call'], rows.map(format));
printTable('Of which, each stage on its own', ['', 'µs'], (await timeStages(gateway, timing)).map(format));
console.log();
printTarget('pipeline per call', legacy, targetMicroseconds, 'µs');
