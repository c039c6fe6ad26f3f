import { createServer } from 'node:http';
import { createAddressGuard } from '@gatehouse/egress';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../../../../../test/support/listen.ts';
import { ProviderEgress } from '../../identity/providers/provider-egress.service.ts';
import { ConnectionEgress } from '../connection-egress.service.ts';
import { DiscoveryEgress } from './discovery-egress.service.ts';

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

test('what is near is what only the setting allows', async () => {
  expect(await Promise.all(['http://127.0.0.1/', 'http://[::1]:8080/', 'https://192.0.2.1/', 'https://10.0.0.1/', 'https://8.8.8.8/', 'https://nowhere.invalid/'].map((at) => egress.isNear(at)))).toEqual([
    true, true, false, false, false, false,
  ]);
});

test('a neighbour may name neighbours, whoever is elsewhere may not', async () => {
  expect(await (await egress.of(true)(url, {})).text()).toBe('here');
  for (const target of [url, url.replace('http:', 'https:'), 'https://169.254.169.254/latest', 'https://[::ffff:127.0.0.1]/']) {
    await expect(egress.of(false)(target, {})).rejects.toMatchObject({ code: 'upstream_address_refused' });
  }
});
