import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createAddressGuard } from '@gatehouse/egress';
import { completeServer, type UpstreamServerDocument } from '@gatehouse/gateway-config';
import { Secret } from '@gatehouse/sealing';
import type { ProbeOptions } from './probe-upstream.ts';

export const apiKeyValue = 'k3y-of-the-upstream';

type AppAuth = UpstreamServerDocument['appAuth'];
export const apiKey = (location: 'header' | 'query' = 'header'): AppAuth => ({ type: 'api-key', name: 'X-Api-Key', in: location, value: new Secret(apiKeyValue) });

/** A complete server document in front of an upstream. */
export const serverAt = (url: string, appAuth: AppAuth = { type: 'none' }, transport: 'streamable-http' | 'sse' = 'streamable-http'): UpstreamServerDocument =>
  completeServer.parse({ name: 'probed', type: 'mcp', upstream: { url, transport }, agentAuth: { type: 'passthrough' }, appAuth }) as UpstreamServerDocument;

export const localOnly: ProbeOptions = { guard: createAddressGuard({ allowedRanges: ['loopback'] }) };
export const impatient: ProbeOptions = { ...localOnly, limits: { stepMs: 300, totalMs: 2_000 } };

/** A server on raw sockets. */
export async function startTcpUpstream(onSocket: (socket: Socket) => void): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onSocket(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, close: () => (sockets.forEach((socket) => socket.destroy()), server.close()) };
}
