import { makeSecrets } from '../bench-secrets.ts';
import { checkUpstream } from '../check-proxy.ts';
import type { Cores } from '../cores.ts';
import { startGateway } from '../gateway.ts';
import { type Latency, measureLatency } from '../measure-latency.ts';
import { measureThroughput, type Throughput } from '../measure-throughput.ts';
import { type Proxy, startNginxProxy } from '../nginx-proxy.ts';
import { connectPublisher } from '../publish-configuration.ts';
import { startUpstream } from '../upstream.ts';
import { startRedis } from '../workspace-support.ts';
import { type AuthenticationCase, authenticationCases, documentsOfCases, nameOfCase } from './authentication-cases.ts';
import { checkCase } from './check-case.ts';
import { startTokenGiver } from './give-tokens.ts';
import { startHaproxy } from './haproxy.ts';
import type { ReportPlan } from './report-plan.ts';

export interface AuthenticationResult extends Omit<Throughput, 'name'> {
  /** `nginx` and other peers do the task of the gateway's first case. */
  readonly proxy: string;
  readonly kind: AuthenticationCase['kind'];
  readonly agentAuth: string;
  readonly appAuth: string;
  /** At one connection. */
  readonly alone?: Latency;
}

export interface AuthenticationReport {
  readonly cases: readonly AuthenticationResult[];
  /** The upstream without anything before it, at one connection. */
  readonly direct?: Latency;
}

type Described = Pick<AuthenticationResult, 'proxy' | 'kind' | 'agentAuth' | 'appAuth'>;
type Case = Described & { readonly target: Proxy };

/** Peers, and the gateway with one way of authentication after the other, before one upstream. One process of it serves all cases, in turn. */
export async function measureAuthentication({ load: rounds, latency, every }: ReportPlan['authentication'], script: string, cores: Cores, folder: string): Promise<AuthenticationReport> {
  await using stack = new AsyncDisposableStack();
  const secrets = makeSecrets();
  const load = { core: cores.rest, folder };
  const upstream = await startUpstream(folder, cores.rest, secrets);
  stack.defer(() => upstream.process.stop());
  await checkUpstream(`${upstream.origin}/mcp`, secrets.upstreamKey, secrets.authorization);
  const tokens = await startTokenGiver(secrets);
  stack.defer(() => tokens.close());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const publisher = connectPublisher(redis.url, secrets);
  await publisher.replaceAll(documentsOfCases(upstream.origin, tokens.tokenUrl, secrets));
  await publisher.close();

  const gateway = await startGateway({ script, name: 'gateway', folder, core: cores.proxy, redisUrl: redis.url, secrets, environment: tokens.environment });
  stack.defer(() => gateway.process.stop());
  const chosen = authenticationCases(secrets).filter((_, index) => index % every === 0);
  const cases: Case[] = [];
  for (const one of chosen) {
    const target = { name: nameOfCase(one), url: gateway.origin + one.path, headers: one.headers, process: gateway.process, ...(one.request && { request: one.request }) };
    cases.push({ proxy: 'gateway', kind: one.kind, agentAuth: one.agentAuth, appAuth: one.appAuth, target });
    await checkCase(target, one.open !== true);
  }
  const [ordinary] = cases;
  for (const start of [startNginxProxy, startHaproxy]) {
    const target = await start(folder, cores.proxy, upstream, secrets);
    if (target === undefined || ordinary === undefined) continue;
    stack.defer(() => target.process.stop());
    await checkCase(target, true);
    cases.push({ ...ordinary, proxy: target.name, target });
  }

  const asked = tokens.asked();
  const throughputs = await measureThroughput(cases.map(({ target }) => target), load, rounds);
  const direct = { name: 'direct', url: `${upstream.origin}/mcp`, headers: { 'X-API-Key': secrets.upstreamKey } };
  const latencies = latency.rounds > 0 ? await measureLatency([...cases.map(({ target }) => target), direct], load, latency) : new Map<string, Latency>();
  for (const { target } of cases) await checkCase(target, false);
  if (tokens.asked() !== asked) throw new Error('tokens were not cached: what was measured is how they are fetched');

  const results = cases.map(({ proxy, kind, agentAuth, appAuth }, index) => {
    const { name, ...throughput } = throughputs[index] as Throughput;
    const alone = latencies.get(name);
    return { proxy, kind, agentAuth, appAuth, ...throughput, ...(alone && { alone }) };
  });
  const alone = latencies.get(direct.name);
  return { cases: results, ...(alone && { direct: alone }) };
}
