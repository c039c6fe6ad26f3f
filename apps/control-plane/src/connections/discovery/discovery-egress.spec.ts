import { createServer } from 'node:http';
import { createAddressGuard } from '@gatehouse/egress';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../../../../../test/support/listen.ts';
import { ProviderEgress } from '../../identity/providers/provider-egress.service.ts';
import { ConnectionEgress } from '../connection-egress.service.ts';
import { DiscoveryEgress, discoveryFetches } from './discovery-egress.service.ts';
import { reachUpstream } from './reach-upstream.ts';

const guard = createAddressGuard({ allowedRanges: ['loopback'] });
const providers = new ProviderEgress(guard);
const egress = new DiscoveryEgress(guard, new ConnectionEgress(providers));
const server = createServer((_request, response) => void response.end('here'));
let url = '';

beforeAll(async () => {
  url = `http://127.0.0.1:${await listenOnLoopback(server)}/`;
});
afterAll(async () => {
  await egress.onApplicationShutdown();
  await providers.onApplicationShutdown();
  await closeHttpServer(server);
});

test('what is near is what only the setting allows, by the connection that was made', async () => {
  const upstream = egress.upstream();
  expect(upstream.isNear()).toBe(false);
  expect([await (await upstream.fetch(url.replace('127.0.0.1', 'localhost'), {})).text(), upstream.isNear()]).toEqual(['here', true]);
  for (const target of ['https://192.0.2.1/', 'https://10.0.0.1/', 'http://8.8.8.8/']) {
    const another = egress.upstream();
    await expect(another.fetch(target, {})).rejects.toMatchObject({ code: 'upstream_address_refused' });
    expect(another.isNear()).toBe(false);
  }
});

test('a name that is near at one look-up and elsewhere at the next is not near', async () => {
  const looks: string[] = [];
  const { pools, ...fetches } = discoveryFetches(guard, (_name, _options, callback) => {
    looks.push(looks.length % 2 === 0 ? '127.0.0.1' : '8.8.8.8');
    callback(null, [{ address: looks.at(-1) ?? '', family: 4 }]);
  });
  const upstream = reachUpstream(fetches);
  await expect(upstream.fetch('https://rebinding.example/mcp', {})).rejects.toMatchObject({ code: 'upstream_address_refused' });
  expect([upstream.isNear(), looks]).toEqual([false, ['127.0.0.1', '8.8.8.8']]);
  await Promise.all(pools.map((pool) => pool.destroy()));
});

test('a neighbour may name neighbours, whoever is elsewhere may not', async () => {
  expect(await (await egress.of(true)(url, {})).text()).toBe('here');
  for (const target of [url, url.replace('http:', 'https:'), 'https://169.254.169.254/latest', 'https://[::ffff:127.0.0.1]/']) {
    await expect(egress.of(false)(target, {})).rejects.toMatchObject({ code: 'upstream_address_refused' });
  }
});
