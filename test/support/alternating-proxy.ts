import { createServer, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface ProxiedRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Name of the target that answered. */
  readonly target: string;
}

export interface AlternatingProxy {
  /** What clients know the targets as. */
  readonly url: string;
  /** By name; those that no longer listen are passed over. */
  readonly targets: Map<string, string>;
  /** What was answered, in order. */
  readonly requests: ProxiedRequest[];
  /** The next request goes to this one, the one after to the next. */
  beginWith(name: string): void;
  close(): Promise<void>;
}

/** An ingress at its most unkind: each request goes to another target than the one before. */
export async function startAlternatingProxy(): Promise<AlternatingProxy> {
  const targets = new Map<string, string>();
  const requests: ProxiedRequest[] = [];
  let turn = 0;

  // While a plane starts, clients say nothing for longer than the usual five seconds: a connection that is closed just as it is used
  // again would be a failure of nobody's but this proxy's.
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    forward(request, response).catch((error: unknown) => void response.destroy(error as Error));
  });
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const first = turn;
    turn += 1;
    for (let offset = 0; offset < targets.size; offset += 1) {
      const [name, url] = [...targets][(first + offset) % targets.size] ?? ['', ''];
      const answer = await ask(request, url, body);
      if (answer === undefined) continue;
      requests.push({ method: request.method ?? '', path: request.url?.split('?', 1)[0] ?? '', target: name });
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      return void answer.pipe(response);
    }
    return void response.writeHead(503).end('nobody is there');
  };

  return {
    url: `http://127.0.0.1:${await listenOnLoopback(server)}`,
    targets,
    requests,
    beginWith: (name) => void (turn = [...targets.keys()].indexOf(name)),
    close: () => closeHttpServer(server),
  };
}

/** Nothing where the target does not listen. */
function ask({ method, url, rawHeaders }: IncomingMessage, target: string, body: Buffer): Promise<IncomingMessage | undefined> {
  return new Promise((resolve, reject) => {
    const asked = sendRequest(new URL(url ?? '/', target), { method: method ?? 'GET', headers: rawHeaders, agent: false }, resolve);
    asked.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? resolve(undefined) : reject(error)));
    asked.end(body);
  });
}
