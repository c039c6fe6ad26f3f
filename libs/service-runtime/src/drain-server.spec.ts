import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { drainServer } from './drain-server.ts';

let server: Server;
let held: ServerResponse[];
let sockets: Socket[];

beforeEach(async () => {
  held = [];
  sockets = [];
  server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => (request.url === '/slow' ? void held.push(response) : response.end('answer')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
  server.closeAllConnections();
});

interface Connection {
  send(text: string): void;
  read(): string;
  isEnded(): boolean;
}

async function open(): Promise<Connection> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  let isEnded = false;
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString())).on('end', () => void (isEnded = true)).on('error', (error) => void (text += error.message));
  await once(socket, 'connect');
  return { send: (sent) => void socket.write(sent), read: () => text, isEnded: () => isEnded };
}
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`;
const until = (assertion: () => void): Promise<void> => vi.waitFor(assertion, { timeout: 20_000, interval: 10 });

it('a connection that is kept open answers one more request, and says that it was the last', async () => {
  const connection = await open();
  connection.send(get('/'));
  await until(() => expect(connection.read()).toContain('answer'));
  expect(connection.read()).toContain('Connection: keep-alive');
  const drained = drainServer(server, { timeoutMs: 60_000, quietMs: 60_000 });
  await until(() => expect(server.listening).toBe(false));
  expect(connection.isEnded()).toBe(false);
  connection.send(get('/'));
  await until(() => expect(connection.isEnded()).toBe(true));
  expect(connection.read().split('HTTP/1.1 200 OK')[2]).toMatch(/Connection: close[^]*answer$/);
  await drained;
});

it('a body that is on its way is read, and what is in flight is answered', async () => {
  const [slow, upload] = [await open(), await open()];
  slow.send(get('/slow'));
  upload.send('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbo');
  await until(() => expect(held).toHaveLength(1));
  const drained = drainServer(server, { timeoutMs: 60_000, quietMs: 0 });
  await until(() => expect(server.listening).toBe(false));
  upload.send('dy');
  await until(() => expect([upload.read().includes('answer'), upload.isEnded()]).toEqual([true, true]));
  held[0]?.end('at last');
  await drained;
  await until(() => expect([slow.read().includes('at last'), slow.isEnded()]).toEqual([true, true]));
});

it('nobody can connect any more', async () => {
  const idle = await open();
  idle.send(get('/'));
  await until(() => expect(idle.read()).toContain('answer'));
  const { port } = server.address() as AddressInfo;
  const drained = drainServer(server, { timeoutMs: 60_000, quietMs: 60_000 });
  await until(() => expect(server.listening).toBe(false));
  const [error] = (await once(connect(port, '127.0.0.1'), 'error').catch((thrown: unknown) => [thrown])) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  idle.send(get('/'));
  await drained;
});

it('connections on which nothing comes are closed, once nothing has come on any', async () => {
  const idle = await open();
  idle.send(get('/'));
  await until(() => expect(idle.read()).toContain('answer'));
  await drainServer(server, { timeoutMs: 60_000, quietMs: 0 });
  await until(() => expect(idle.isEnded()).toBe(true));
});

it('what is not over in time is broken off', async () => {
  const slow = await open();
  slow.send(get('/slow'));
  await until(() => expect(held).toHaveLength(1));
  await drainServer(server, { timeoutMs: 0, quietMs: 0 });
  await until(() => expect([slow.read(), slow.isEnded()]).toEqual(['', true]));
});

it('of a server that does not listen, nothing is waited for', async () => {
  server.close();
  await drainServer(server, { timeoutMs: 60_000, quietMs: 60_000 });
});
