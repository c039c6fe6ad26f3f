import type { BenchSecrets } from './bench-secrets.ts';
import { freePort } from './free-port.ts';
import type { RunningProcess } from './running-process.ts';
import { passThroughHeaders, sampleCall } from './sample-call.ts';
import { startNginx } from './start-nginx.ts';

export interface Upstream {
  /** Without a path. */
  readonly origin: string;
  readonly process: RunningProcess;
}

/** Answered only with what the caller itself sent: its credential, its tenant. */
export const passedPath = '/passed';

/** Answered only without any credential, with the stored key as a bearer, or with a signature that has the form of one. */
export const openPath = '/open';
export const bearerOnlyPath = '/bearer';
export const signedOnlyPath = '/signed';

/** A REST API, for which the key is expected as everywhere else. */
export const restPath = '/v1';

/** Paths below this one are answered with the path itself, so that a caller sees which configuration its call went by. */
export const echoPath = '/echo/';

/**
 * The upstream: a fixed answer from memory. It looks at every request: without the injected key, or with anything of the
 * caller's own credential, the answer is 500, and the load generator counts an error.
 */
export async function startUpstream(folder: string, core: number | undefined, { upstreamKey, tokenAuthorization }: BenchSecrets): Promise<Upstream> {
  const port = await freePort();
  const http = `
  map "$http_x_api_key|$http_authorization|$http_x_gatehouse_key" $as_expected { default 0; "${upstreamKey}||" 1; }
  map "$http_x_api_key|$http_authorization|$http_x_tenant" $as_passed { default 0; "|${tokenAuthorization}|${passThroughHeaders['X-Tenant']}" 1; }
  map "$http_x_api_key|$http_authorization|$http_x_gatehouse_key" $as_open { default 0; "||" 1; }
  map "$http_x_api_key|$http_authorization|$http_x_gatehouse_key" $as_bearer { default 0; "|Bearer ${upstreamKey}|" 1; }
  map "$http_x_api_key|$http_authorization|$http_x_gatehouse_key" $as_signed { default 0; "~^\\|AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/[^|]*Signature=[0-9a-f]+\\|$" 1; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    ${answerWhere(openPath, 'as_open')}
    ${answerWhere(bearerOnlyPath, 'as_bearer')}
    ${answerWhere(signedOnlyPath, 'as_signed')}
    ${answerWhere(`${restPath}/`, 'as_expected', restAnswer)}
    location ${passedPath} {
      if ($as_passed = 0) { return 500 '{"error":"not the headers that were expected"}'; }
      return 200 '${sampleCall.answer}';
    }
    location / {
      if ($as_expected = 0) { return 500 '{"error":"not the credentials that were expected"}'; }
      return 200 '${sampleCall.answer}';
    }
    location ${echoPath} {
      if ($as_expected = 0) { return 500 '{"error":"not the credentials that were expected"}'; }
      return 200 '{"jsonrpc":"2.0","id":1042,"result":{"path":"$request_uri"}}';
    }
  }`;
  const process = await startNginx({ name: 'upstream', folder, core, port, http });
  return { origin: `http://127.0.0.1:${port}`, process };
}

/** What a REST API answers the same call with. */
const restAnswer = JSON.stringify((JSON.parse(sampleCall.answer) as { result: { structuredContent: object } }).result.structuredContent);

const answerWhere = (path: string, condition: string, answer: string = sampleCall.answer): string => `location ${path} {
      if ($${condition} = 0) { return 500 '{"error":"not the credentials that were expected"}'; }
      return 200 '${answer}';
    }`;
