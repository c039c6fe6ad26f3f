import type { Latency } from './measure-latency.ts';
import { connections, type Throughput } from './measure-throughput.ts';
import { format, printTable, printTarget } from './print-table.ts';

const maxAddedMs = 0.3;
/** Of nginx, with authentication and the call log on. */
const minRatio = 0.22;
/** Of the gateway's own ordinary call. */
const minVariantRatio = 0.9;
/** Below this, requests/s say more about the machine than about a proxy. */
const minCpuShare = 0.9;

export function printThroughput(results: readonly Throughput[]): void {
  const [baseline] = results;
  if (baseline === undefined) return;
  printTable(
    `Throughput: ${connections} keep-alive connections, one core for the proxy, medians`,
    ['', 'requests/s', 'to nginx', 'p50 ms', 'p99 ms', 'core used', 'CPU µs/request', 'to nginx', 'RSS MB'],
    results.map((result) => [
      result.name,
      result.requestsPerSecond.toFixed(0),
      (result.requestsPerSecond / baseline.requestsPerSecond).toFixed(2),
      result.p50Ms.toFixed(2),
      result.p99Ms.toFixed(2),
      `${(result.cpuShare * 100).toFixed(0)} %`,
      format(result.cpuMicroseconds),
      (baseline.cpuMicroseconds / result.cpuMicroseconds).toFixed(2),
      result.rssMb.toFixed(0),
    ]),
  );
  const hindered = results.filter(({ cpuShare }) => cpuShare < minCpuShare);
  if (hindered.length > 0) {
    console.log(`\n  Other work took the machine: ${hindered.map(({ name }) => name).join(', ')} did not have a core alone. Compare CPU time, not requests/s.`);
  }
  const gateway = results.find(({ name }) => name === 'gateway');
  if (gateway !== undefined) {
    console.log();
    // By CPU time where one of them had no core to itself: requests/s would then be the machine's figure.
    const ratio = hindered.length > 0 ? baseline.cpuMicroseconds / gateway.cpuMicroseconds : gateway.requestsPerSecond / baseline.requestsPerSecond;
    printTarget('to nginx', ratio, minRatio, '', 'at least');
    for (const variant of ['interactive', 'JWT and pass-through']) {
      const result = results.find(({ name }) => name === `gateway, ${variant}`);
      // By CPU time: the two are one process, and its rounds are minutes apart.
      if (result !== undefined) printTarget(`${variant} to the ordinary call`, gateway.cpuMicroseconds / result.cpuMicroseconds, minVariantRatio, '', 'at least');
    }
  }
  console.log('\n  Errors: 0 (one would have ended the run). Every call was authenticated, and the upstream saw the injected key in each.');
}

/** @param latencies by name; `direct` is the upstream without anything before it */
export function printLatency(latencies: ReadonlyMap<string, Latency>): void {
  const direct = latencies.get('direct')?.p50Ms ?? Number.NaN;
  printTable(
    'Latency at one connection: p50, medians',
    ['', 'p50 ms', 'added ms'],
    [...latencies].map(([name, { p50Ms }]) => [name, p50Ms.toFixed(3), name === 'direct' ? '' : (p50Ms - direct).toFixed(3)]),
  );
  console.log();
  printTarget('added latency', (latencies.get('gateway')?.p50Ms ?? Number.NaN) - direct, maxAddedMs, 'ms');
}
