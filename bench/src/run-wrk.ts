import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pinned } from './cores.ts';
import { sampleCall } from './sample-call.ts';
import { runCommand } from './workspace-support.ts';

/** What is sent, but for what says who sends it. */
export interface LoadRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LoadOptions {
  readonly url: string;
  /** Added to those of the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the sample call. */
  readonly request?: LoadRequest;
  /** Each request goes to one of so many servers, by chance; the URL is without the number that it ends with. */
  readonly spreadOver?: number;
  /** An answer without it counts as an error: one whose status is fine may still say that a tool has failed. */
  readonly answerHas?: string;
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
 * Sends one request over keep-alive connections, each as fast as it is answered.
 * @throws Error when any request was answered with an error, or not at all
 */
export async function runWrk(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, seconds, core, folder } = options;
  const script = join(folder, 'call.lua');
  await writeFile(script, luaScript(options));
  const [program, ...args] = pinned(core, ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', script, url]);
  const { exitCode, stdout, stderr } = await runCommand(program, args);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (exitCode !== 0 || line === undefined) throw new Error(`wrk ended with ${exitCode}: ${stderr}${stdout}`);
  const { requests, microseconds, p50, p99, errors } = JSON.parse(line) as WrkSummary;
  if (errors > 0 || requests === 0) throw new Error(`${url}: ${errors} errors in ${requests} requests`);
  return { requests, requestsPerSecond: requests / (microseconds / 1e6), p50Ms: p50 / 1000, p99Ms: p99 / 1000 };
}

const luaScript = ({ url, headers, request = sampleCall, spreadOver, answerHas }: LoadOptions): string => `
wrk.method = "POST"
wrk.body = ${luaText(request.body)}
${Object.entries({ ...request.headers, ...headers }).map(([name, value]) => `wrk.headers[ ${luaText(name)} ] = ${luaText(value)}`).join('\n')}
${spreadOver === undefined ? '' : spreadScript(new URL(url).pathname, spreadOver)}
${answerHas === undefined ? '' : answerScript(answerHas)}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%.1f,"p99":%.1f,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout + ${answerHas === undefined ? '0' : '(checked:get("wrong") or 0)'}))
end
`;

const spreadScript = (path: string, count: number): string => `
math.randomseed(4711)
request = function() return wrk.format(nil, ${luaText(path)} .. math.random(0, ${count - 1})) end`;

// Of wrk's one thread, which has a state of its own.
const answerScript = (text: string): string => `
setup = function(thread) checked = thread end
wrong = 0
response = function(status, headers, body)
  if not string.find(body, ${luaText(text)}, 1, true) then wrong = wrong + 1 end
end`;

const luaText = (text: string): string => `[==[${text}]==]`;
