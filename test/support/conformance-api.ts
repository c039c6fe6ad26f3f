import { createServer } from 'node:http';
import { type ApiOperation, importOpenApi } from '@gatehouse/api-tools';
import { richSchema } from './conformance-upstream/content-tools.ts';
import { samplePng, sampleWav } from './conformance-upstream/samples.ts';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface ConformanceApi {
  readonly url: string;
  readonly operations: ApiOperation[];
  close(): Promise<void>;
}

const answers: Readonly<Record<string, readonly [status: number, type: string, body: string | Buffer]>> = {
  test_simple_text: [200, 'text/plain', 'This is a simple text response for testing.'],
  test_image_content: [200, samplePng.mimeType, Buffer.from(samplePng.data, 'base64')],
  test_audio_content: [200, sampleWav.mimeType, Buffer.from(sampleWav.data, 'base64')],
  test_error_handling: [500, 'text/plain', 'This tool intentionally returns an error for testing'],
};

/** Those of the conformance tool's tools that an API can have. */
export async function startConformanceApi(): Promise<ConformanceApi> {
  const server = createServer((request, response) => {
    const [status, type, body] = answers[request.url?.slice(1) ?? ''] ?? [404, 'text/plain', 'not found'];
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const paths = Object.fromEntries(Object.keys(answers).map((name) => [`/${name}`, { get: { operationId: name, description: name, responses: {} } }]));
  const operations = importOpenApi({ openapi: '3.1.0', info: {}, paths }).operations;
  const rich = operations.slice(0, 1).map((operation) => ({ ...operation, name: 'json_schema_2020_12_tool', inputSchema: richSchema }));
  return { url, operations: [...operations, ...rich], close: () => closeHttpServer(server) };
}
