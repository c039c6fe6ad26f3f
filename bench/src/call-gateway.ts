import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { sampleCall } from './sample-call.ts';

// One connection that stays: what is timed is the gateway, not the way there.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** One call of a server; resolves to status and body. */
export function callGateway(url: string, authorization: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers: { ...sampleCall.headers, authorization, 'content-length': Buffer.byteLength(sampleCall.body) } });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    outgoing.end(sampleCall.body);
  });
}

export const closeConnections = (): void => agent.destroy();
