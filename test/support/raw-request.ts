import { connect } from 'node:net';

export interface RawReply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are, which no HTTP client would, and reads until the other side closes. */
export async function rawRequest(url: string, lines: readonly string[], body = ''): Promise<RawReply> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', () => socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')));
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
    socket.on('close', () => resolve());
    socket.on('error', (error: NodeJS.ErrnoException) => (chunks.length > 0 ? resolve() : reject(error)));
  });
  const text = Buffer.concat(chunks).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) };
}

/** The lines of a POST to a path, with a body of this length, that ends its connection. */
export const postLines = (path: string, host: string, body: string, ...more: string[]): string[] => [
  `POST ${path} HTTP/1.1`,
  `Host: ${host}`,
  'Content-Type: application/json',
  'Accept: application/json, text/event-stream',
  `Content-Length: ${Buffer.byteLength(body)}`,
  ...more,
  ...(more.some((line) => /^connection:/i.test(line)) ? [] : ['Connection: close']),
];
