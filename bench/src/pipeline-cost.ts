import { handleRequest } from './data-plane-parts.ts';
import { timeHeaderPolicy } from './header-policy-cost.ts';
import { makeEvents, makeGateway, makeRecord, makeSnapshot } from './pipeline-fixture.ts';
import { printTable, printTarget } from './print-table.ts';
import { makeRequests, type RequestKind } from './sample-requests.ts';
import { type CallTime, timeCalls, type Timing } from './time-calls.ts';
import { timeStages } from './time-stages.ts';

const targetMicroseconds = 6;
const policyTargetMicroseconds = 10;
const signatureTargetMicroseconds = 60;
/** 5 % of a call with its sockets (docs/performance.md). */
const exchangeTargetMicroseconds = 2.4;
/** 20 % of a call with its sockets (docs/performance.md). */
const virtualTargetMicroseconds = 9.6;
const listTargetMicroseconds = 50_000;
const quick = process.argv.includes('--quick');
const timing: Timing = { calls: 200, rounds: quick ? 300 : 2_000 };

const snapshot = await makeSnapshot(1_000);
const gateway = makeGateway(snapshot, makeRecord('warn'));
const logging = makeGateway(snapshot, makeRecord('info'));
const observed = makeGateway(snapshot, makeRecord('info', makeEvents()));
const owner = { workspace: 'default', serverId: 'server-orders', upstreamUrl: 'https://orders.example/mcp', callerId: 'service-account:account-bench' };
const sessionId = gateway.callContext.sessions.seal('mcp-session', owner, 'upstream-session-4711');

/** A pipeline that fails is fast: what is timed must be a call that goes through. */
async function checkCall(kind: RequestKind): Promise<void> {
  for (const request of makeRequests(kind, 1, sessionId)) {
    const { status, body } = await handleRequest(gateway, request);
    if (status !== 200) throw new Error(`${kind}: ${status} ${typeof body === 'string' ? body : ''}`);
  }
}

const timeKind = async (kind: RequestKind, through = gateway): Promise<CallTime> => {
  await checkCall(kind);
  return timeCalls(timing, (count) => makeRequests(kind, count, sessionId), (request) => handleRequest(through, request));
};

const legacy = await timeKind('legacy');
const [bearer, exchange, sigv4] = [await timeKind('bearer'), await timeKind('exchange'), await timeKind('sigv4')];
const [modern, virtual] = [await timeKind('modern'), await timeKind('virtual')];
const list = await timeKind('api list');
const rows: [string, CallTime][] = [
  ['legacy call (2025-11-25)', legacy],
  ['  with a session', await timeKind('legacy with session')],
  ['  with its line in the log', await timeKind('legacy', logging)],
  ['  and its event', await timeKind('legacy', observed)],
  ['modern call (2026-07-28)', modern],
  ['  of one of ten members of a virtual server', virtual],
  ['legacy call of a person (interactive)', await timeKind('interactive')],
  ['  with that person’s connection, token cached', await timeKind('connected')],
  ['legacy call with a token that is verified, and a stored bearer', bearer],
  ['  with what it was exchanged for, cached', exchange],
  ['legacy call of 2 KiB, signed (aws-sigv4)', sigv4],
  ['legacy call of a REST API’s tool, arguments checked', await timeKind('api')],
  ['list of a REST API’s 1,000 tools', list],
];
const columns = ['median µs', 'fastest tenth µs'];
const format = ([name, { median, fastestTenth }]: readonly [string, CallTime]): string[] => [name, median.toFixed(2), fastestTenth.toFixed(2)];
printTable('The pipeline alone, no socket', ['per call', ...columns], rows.map(format));
printTable('Of which, each stage on its own', ['per call', ...columns], (await timeStages(gateway, timing)).map(format));
console.log();
printTarget('pipeline per call', legacy.median, targetMicroseconds, 'µs');
printTarget('header policy, 20 rules over 30 headers', (await timeHeaderPolicy(timing)).median, policyTargetMicroseconds, 'µs');
printTarget('a signature (aws-sigv4), of 2 KiB', sigv4.median - legacy.median, signatureTargetMicroseconds, 'µs');
printTarget('a cached exchange, more than a stored bearer', exchange.median - bearer.median, exchangeTargetMicroseconds, 'µs');
printTarget('a member’s tool by a virtual server, more than by itself', virtual.median - modern.median, virtualTargetMicroseconds, 'µs');
printTarget('a list of 1,000 tools', list.median, listTargetMicroseconds, 'µs');
