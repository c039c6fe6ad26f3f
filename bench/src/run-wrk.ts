import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pinned } from './cores.ts';
import { sampleCall } from './sample-call.ts';
import { runCommand } from './workspace-support.ts';

export interface LoadOptions {
  readonly url: string;
  /** Added to those of the sample call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number | undefined;
  readonly folder: string;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface WrkSummary {
  readonly requests: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

/**
 * Sends the sample call over keep-alive connections, each as fast as it is answered.
 * @throws Error when any request was answered with an error, or not at all
 */
export async function runWrk({ url, headers, connections, seconds, core, folder }: LoadOptions): Promise<LoadResult> {
  const script = join(folder, 'call.lua');
  await writeFile(script, luaScript({ ...sampleCall.headers, ...headers }));
  const [program, ...args] = pinned(core, ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', script, url]);
  const { exitCode, stdout, stderr } = await runCommand(program, args);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (exitCode !== 0 || line === undefined) throw new Error(`wrk ended with ${exitCode}: ${stderr}${stdout}`);
  const { requests, microseconds, p50, p99, errors } = JSON.parse(line) as WrkSummary;
  if (errors > 0 || requests === 0) throw new Error(`${url}: ${errors} errors in ${requests} requests`);
  return { requests, requestsPerSecond: requests / (microseconds / 1e6), p50Ms: p50 / 1000, p99Ms: p99 / 1000 };
}

const luaScript = (headers: Readonly<Record<string, string>>): string => `
wrk.method = "POST"
wrk.body = ${luaText(sampleCall.body)}
${Object.entries(headers).map(([name, value]) => `wrk.headers[ ${luaText(name)} ] = ${luaText(value)}`).join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

const luaText = (text: string): string => `[==[${text}]==]`;
