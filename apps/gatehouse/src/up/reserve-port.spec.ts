import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { reservePort } from './reserve-port.ts';

it('holds a free port until it is released', async () => {
  const reserved = await reservePort(0, '--data-plane-port');
  await expect(reservePort(reserved.port, '--data-plane-port')).rejects.toThrow(
    `Port ${reserved.port} of 127.0.0.1 is already in use: choose another one with --data-plane-port <port>, or a free one with --data-plane-port 0.`,
  );
  await reserved.release();
  const server = createServer().listen(reserved.port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
