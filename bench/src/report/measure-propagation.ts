import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cores } from '../cores.ts';
import type { RunningGateway } from '../gateway.ts';
import type { Latency } from '../measure-latency.ts';
import { sampleCall } from '../sample-call.ts';
import { quantile } from '../statistics.ts';
import { echoPath, startUpstream } from '../upstream.ts';
import type { ReportPlan } from './report-plan.ts';
import { type Fleet, startFleet } from './start-fleet.ts';

/** Milliseconds from before an edit was sent to the control plane. */
export interface PropagationResult {
  readonly dataPlanes: number;
  readonly edits: number;
  /** Until the control plane had answered: it is stored then. */
  readonly stored: Latency;
  /** Until a call was answered by it, at the first data plane and at the last. */
  readonly servedFirst: Latency;
  readonly servedEverywhere: Latency;
}

const server = 'propagated';
const serverPath = `/v1/workspaces/default/servers/${server}`;
/** Between two looks at one data plane: how exact the figures are. All planes share a core, which the looks must not fill. */
const lookMs = 2;
const patienceMs = 30_000;

/** Edits over the REST API of a control plane with a database, until every data plane serves them. */
export async function measurePropagation({ dataPlanes, edits }: ReportPlan['propagation'], script: string, cores: Cores, folder: string): Promise<PropagationResult[]> {
  await using stack = new AsyncDisposableStack();
  const fleet = await startFleet(script, cores, folder, stack);
  const upstream = await startUpstream(folder, cores.rest, fleet.secrets);
  stack.defer(() => upstream.process.stop());
  const created = await fleet.admin.post('/v1/workspaces/default/servers', {
    name: server, type: 'mcp', upstream: { url: `${upstream.origin}${echoPath}first` }, agentAuth: { type: 'passthrough' }, appAuth: { type: 'api-key', name: 'X-API-Key', in: 'header', value: fleet.secrets.upstreamKey },
  });
  if (created.status !== 201) throw new Error(`the server was not created: ${created.status} ${JSON.stringify(created.body)}`);

  const watched: Watched[] = [];
  const results: PropagationResult[] = [];
  for (const count of dataPlanes) {
    while (watched.length < count) watched.push(new Watched(await fleet.startDataPlane()));
    await Promise.all(watched.map((plane) => plane.untilServed(`${echoPath}${results.length === 0 ? 'first' : `${results.length - 1}/${edits - 1}`}`)));
    results.push(await measureEdits(fleet, watched, edits, (edit) => upstream.origin + echoPath + `${results.length}/${edit}`));
  }
  for (const plane of watched) plane.close();
  return results;
}

async function measureEdits({ admin }: Fleet, planes: readonly Watched[], edits: number, urlOf: (edit: number) => string): Promise<PropagationResult> {
  const stored: number[] = [];
  const first: number[] = [];
  const everywhere: number[] = [];
  for (let edit = 0; edit < edits; edit += 1) {
    const url = urlOf(edit);
    const startedAt = performance.now();
    const since = (): number => performance.now() - startedAt;
    const { status, body } = await admin.patch(serverPath, { upstream: { url } }, { 'if-match': '*' });
    if (status !== 200) throw new Error(`the edit was not taken: ${status} ${JSON.stringify(body)}`);
    stored.push(since());
    // Not before: looks take what the control plane needs to store it.
    const served = await Promise.all(planes.map((plane) => plane.untilServed(new URL(url).pathname).then(since)));
    first.push(Math.min(...served));
    everywhere.push(Math.max(...served));
  }
  return { dataPlanes: planes.length, edits, stored: latencyOf(stored), servedFirst: latencyOf(first), servedEverywhere: latencyOf(everywhere) };
}

const latencyOf = (times: readonly number[]): Latency => ({ p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) });

/** One data plane that is asked again and again, over one connection. */
class Watched {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor({ origin }: RunningGateway) {
    this.#url = `${origin}/mcp/default/${server}`;
  }

  /** Resolves when a call goes to this path of the upstream. */
  async untilServed(path: string): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const answer = await this.#call();
      if (answer.includes(`"${path}"`)) return;
      if (performance.now() > deadline) throw new Error(`${this.#url} does not serve ${path}: ${answer}`);
      await delay(lookMs);
    }
  }

  #call(): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, { method: 'POST', agent: this.#agent, headers: { ...sampleCall.headers, 'content-length': Buffer.byteLength(sampleCall.body) } });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => void text(response).then(resolve, reject));
      outgoing.end(sampleCall.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
