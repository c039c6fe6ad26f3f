import { isHeaderValue } from '@gatehouse/config-fields';
import type { PreparedServer } from '@gatehouse/upstream-request';
import { isDirect } from './direct-call.ts';
import type { ExplainedRequest } from './explain-request.ts';
import type { Explanation } from './explanation.ts';
import type { GivenRequest } from './given-request.ts';

type Assumption = Explanation['assumptions'][number];
type Warning = Explanation['warnings'][number];

/** What the request does not say, and how it was understood. */
export function assumptionsOf(given: GivenRequest, { assumed, callerHeaders, tool }: ExplainedRequest, server: Pick<PreparedServer, 'upstream' | 'operations'>): Assumption[] {
  if (isDirect(server, given)) return directAssumptions(given);
  const { upstream, operations } = server;
  const assumptions: Assumption[] = assumed.map(({ name, value }) => ({ code: 'header_assumed', detail: `${name}: ${value}, as the client would send it.` }));
  if (given.method === 'POST' && given.body === undefined) assumptions.push({ code: 'message_assumed', detail: 'A body with a tools/call message.' });
  if (callerHeaders?.sessionId !== undefined) assumptions.push({ code: 'session_assumed', detail: 'Mcp-Session-Id is one that the gateway gave to this caller; the upstream gets its own.' });
  if (given.path?.includes('?')) assumptions.push({ code: 'query_stays', detail: 'The query of the request’s own URL stays at the gateway.' });
  if (given.hasShellExpansions) assumptions.push(notExpanded);
  if (upstream.transport === 'sse') assumptions.push({ code: 'bridged', detail: 'The upstream speaks HTTP+SSE: these headers leave on each request of the session that the gateway has with it.' });
  if (tool === undefined && operations !== undefined) assumptions.push({ code: 'own_headers_added', detail: 'A call of a tool is another request at the API: method, path, Accept, Content-Type and what the arguments set are those of its operation.' });
  return assumptions;
}

function directAssumptions({ path, hasShellExpansions }: GivenRequest): Assumption[] {
  const assumptions: Assumption[] = [];
  if (path === undefined) assumptions.push({ code: 'direct_call_assumed', detail: 'A direct call (/api) of the upstream URL itself.' });
  if (hasShellExpansions) assumptions.push(notExpanded);
  return assumptions;
}

const notExpanded: Assumption = { code: 'not_expanded', detail: 'What a shell would replace ($NAME, $(…), `…`) is taken as text.' };

const endpointShape = /^\/(?:mcp|sse|api)\/([a-z0-9-]+)\/([a-z0-9-]+)(?:[/?]|$)/;

/** What is odd about the request, whatever the server. `gatewayOrigin`: of the data planes' public URL. */
export function requestWarnings(given: GivenRequest, { assumed, callerHeaders }: ExplainedRequest, { workspace, name }: Pick<PreparedServer, 'workspace' | 'name'>, gatewayOrigin: string): Warning[] {
  const warnings: Warning[] = [];
  const [, givenWorkspace, givenName] = endpointShape.exec(given.path ?? '') ?? [];
  if (givenName !== undefined && (givenWorkspace !== workspace || givenName !== name)) {
    warnings.push({ code: 'other_server', detail: `The URL of the request is that of another server: ${givenWorkspace}/${givenName}.` });
  }
  if (given.sendsFormByItself && assumed.some((header) => header.name === 'content-type')) {
    warnings.push({ code: 'curl_sends_form', detail: 'curl calls its data a form unless it is told otherwise, and a data plane answers 415: add -H \'Content-Type: application/json\', or use --json.' });
  }
  const origin = callerHeaders?.origin;
  if (origin !== undefined && origin !== gatewayOrigin) {
    warnings.push({ code: 'origin_checked', detail: 'The request comes from a web page: a data plane answers 403 unless GATEHOUSE_ALLOWED_ORIGINS names its origin.' });
  }
  if (given.rows.some((value, index) => index % 2 === 1 && !isHeaderValue(value))) {
    warnings.push({ code: 'invalid_on_the_wire', detail: 'A value has control characters: a data plane answers 400 before it looks at any header.' });
  }
  return warnings;
}
