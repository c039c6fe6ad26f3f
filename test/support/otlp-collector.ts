import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

type Value = { readonly stringValue?: string; readonly intValue?: string; readonly doubleValue?: number; readonly boolValue?: boolean };
type Attributes = readonly { readonly key: string; readonly value: Value }[];

/** A span of trace.proto in OTLP/JSON, as far as anybody asks. */
interface WrittenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Attributes;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code: number };
}

export interface ReceivedSpan extends Omit<WrittenSpan, 'attributes'> {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** `service.name` of its resource. */
  readonly service: string;
}

export interface OtlpCollector {
  /** OTEL_EXPORTER_OTLP_ENDPOINT */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Everything that came, as it came: heads and bodies. */
  readonly raw: string[];
  /** What is done with batches from now on; absent, they are taken. */
  answer(how?: (request: IncomingMessage, response: ServerResponse) => void): void;
  close(): Promise<void>;
}

export const spanKind = { internal: 1, server: 2, client: 3 } as const;

/** A collector of OpenTelemetry's, as far as spans by OTLP over HTTP go, which keeps what it gets. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const raw: string[] = [];
  let answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await buffer(request)).toString();
    raw.push([request.url, ...request.rawHeaders, body].join('\n'));
    if (answer !== undefined) return answer(request, response);
    if (request.method !== 'POST' || request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/json') return void response.writeHead(404).end();
    spans.push(...spansIn(body));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    return undefined;
  };
  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => void response.destroy(error as Error));
  });
  const port = await listenOnLoopback(server);
  return { url: `http://127.0.0.1:${port}`, spans, raw, answer: (how) => void (answer = how), close: () => closeHttpServer(server) };
}

interface ExportRequest {
  readonly resourceSpans: readonly { readonly resource: { readonly attributes: Attributes }; readonly scopeSpans: readonly { readonly spans: readonly WrittenSpan[] }[] }[];
}

const spansIn = (body: string): ReceivedSpan[] =>
  (JSON.parse(body) as ExportRequest).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: plain(span.attributes), service })));
  });

const plain = (attributes: Attributes): Record<string, string | number | boolean> =>
  Object.fromEntries(attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [key, stringValue ?? doubleValue ?? boolValue ?? Number(intValue)]));
