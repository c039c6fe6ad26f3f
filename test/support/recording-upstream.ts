import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { answerAsMcp } from './answer-as-mcp.ts';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface RecordedRequest {
  method: string;
  url: string;
  /** Names and values in turn, exactly as they were sent. */
  rawHeaders: string[];
  body: Buffer;
}

export type RecordingHandler = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

export interface RecordingUpstream {
  port: number;
  origin: string;
  /** `<origin>/mcp`; every path is answered. */
  url: string;
  requests: RecordedRequest[];
  /** Answers from now on; by default as a small MCP server. */
  handle(handler: RecordingHandler): void;
  /** The next request that has arrived completely. */
  nextRequest(): Promise<RecordedRequest>;
  close(): Promise<void>;
}

/** A plain HTTP server that keeps what reaches it, byte for byte. */
export async function startRecordingUpstream(
  options: { handler?: RecordingHandler; port?: number } = {},
): Promise<RecordingUpstream> {
  const requests: RecordedRequest[] = [];
  const waiting: ((request: RecordedRequest) => void)[] = [];
  let handler: RecordingHandler = options.handler ?? answerAsMcp;

  const record = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const recorded = { method: request.method ?? '', url: request.url ?? '', rawHeaders: request.rawHeaders, body };
    requests.push(recorded);
    for (const resolve of waiting.splice(0)) resolve(recorded);
    await handler(recorded, response);
  };
  const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    record(request, response).catch((error: unknown) => void response.destroy(error as Error));
  });
  const port = await listenOnLoopback(server, options.port);
  const origin = `http://127.0.0.1:${port}`;
  return {
    port,
    origin,
    url: `${origin}/mcp`,
    requests,
    handle: (next) => void (handler = next),
    nextRequest: () => new Promise((resolve) => void waiting.push(resolve)),
    close: () => closeHttpServer(server),
  };
}

/** The pairs of `rawHeaders` with their case, or only those of one name, compared without case. */
export function headerPairs(request: RecordedRequest, name?: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    pairs.push([request.rawHeaders[index] ?? '', request.rawHeaders[index + 1] ?? '']);
  }
  return name === undefined ? pairs : pairs.filter(([own]) => own.toLowerCase() === name.toLowerCase());
}

/** The value of the one header of that name; undefined where there is none or more than one. */
export function headerValue(request: RecordedRequest, name: string): string | undefined {
  const pairs = headerPairs(request, name);
  return pairs.length === 1 ? pairs[0]?.[1] : undefined;
}
