import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sampleCall } from '../sample-call.ts';

/* An upstream with streams that stay silent, and calls that are answered at once. A process of its own: each stream is a socket. */

const server = createServer((request, response) => {
  request.resume();
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    return void response.flushHeaders();
  }
  request.on('end', () => void response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sampleCall.answer) }).end(sampleCall.answer));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
