import { makeSecrets } from './bench-secrets.ts';
import { checkProxy, checkUpstream } from './check-proxy.ts';
import type { Cores } from './cores.ts';
import { startGateway } from './gateway.ts';
import { measureLatency } from './measure-latency.ts';
import { measureThroughput } from './measure-throughput.ts';
import { type Proxy, startNginxProxy } from './nginx-proxy.ts';
import type { BenchOptions } from './options.ts';
import { printLatency, printThroughput } from './print-comparison.ts';
import { accountDocument, authorizationServerDocument, connectPublisher, interactiveDocument, passThroughDocument, serverDocument } from './publish-configuration.ts';
import { interactivePath, passThroughHeaders, passThroughPath, samplePath } from './sample-call.ts';
import { passedPath, startUpstream } from './upstream.ts';
import { startRedis } from './workspace-support.ts';

/** nginx and the gateway in front of one upstream, each alone on its core, in turn. */
export async function compareWithNginx(options: BenchOptions, cores: Cores, folder: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const secrets = makeSecrets();
  const load = { core: cores.rest, folder };

  const upstream = await startUpstream(folder, cores.rest, secrets);
  stack.defer(() => upstream.process.stop());
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const publisher = connectPublisher(redis.url, secrets);
  await publisher.replaceAll([
    accountDocument(secrets),
    authorizationServerDocument(secrets),
    serverDocument('orders', `${upstream.origin}/mcp`, secrets),
    interactiveDocument('orders-interactive', `${upstream.origin}/mcp`, secrets),
    passThroughDocument('orders-pass-through', `${upstream.origin}${passedPath}`, secrets),
  ]);
  await publisher.close();

  const nginx = await startNginxProxy(folder, cores.proxy, upstream, secrets);
  stack.defer(() => nginx.process.stop());
  const startVariant = async (name: string, logLevel?: string): Promise<Proxy> => {
    const gateway = await startGateway({ script: options.gateway, name: name.replaceAll(/\W+/g, '-'), folder, core: cores.proxy, redisUrl: redis.url, secrets, ...(logLevel && { logLevel }) });
    stack.defer(() => gateway.process.stop());
    return { name, url: gateway.origin + samplePath, headers: { Authorization: secrets.authorization }, process: gateway.process };
  };
  const gateway = await startVariant('gateway');
  const quiet = await startVariant('gateway, call log off', 'warn');
  // The same process: what differs is the server that is called.
  const interactive = { ...gateway, name: 'gateway, interactive', url: gateway.url.replace(samplePath, interactivePath), headers: { Authorization: secrets.personAuthorization } };
  const passThrough = {
    ...gateway,
    name: 'gateway, JWT and pass-through',
    url: gateway.url.replace(samplePath, passThroughPath),
    headers: { ...passThroughHeaders, Authorization: secrets.tokenAuthorization },
  };
  const proxies = [nginx, gateway, interactive, passThrough, quiet];

  await checkUpstream(`${upstream.origin}/mcp`, secrets.upstreamKey, secrets.authorization);
  for (const proxy of proxies) await checkProxy(proxy);

  printThroughput(await measureThroughput(proxies, load, options.quick ? { warmUpSeconds: 1, rounds: 3, seconds: 2 } : { warmUpSeconds: 4, rounds: 3, seconds: 5 }));
  const direct = { name: 'direct', url: `${upstream.origin}/mcp`, headers: { 'X-API-Key': secrets.upstreamKey } };
  printLatency(await measureLatency([direct, ...[nginx, gateway].map(({ name, url, headers }) => ({ name, url, headers }))], load, { rounds: 3, seconds: options.quick ? 1 : 3 }));
}
