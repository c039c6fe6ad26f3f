import type { LoadRequest } from '../run-wrk.ts';
import { sampleCall } from '../sample-call.ts';

/* The sample call in the other forms that it can have. */

const version = '2026-07-28';
const envelope = `"io.modelcontextprotocol/protocolVersion":"${version}","io.modelcontextprotocol/clientCapabilities":{},`;
const { name: toolName, arguments: toolArguments } = (JSON.parse(sampleCall.body) as { params: { name: string; arguments: Record<string, unknown> } }).params;

const modernHeaders = (name: string): Readonly<Record<string, string>> => ({ ...sampleCall.headers, 'MCP-Protocol-Version': version, 'Mcp-Method': 'tools/call', 'Mcp-Name': name });

/** Of the revision without sessions. */
export const modernCall: LoadRequest = { headers: modernHeaders(toolName), body: sampleCall.body.replace('"_meta":{', `"_meta":{${envelope}`) };

/** Of a member's tool, by its name in the virtual server. */
export function virtualCall(member: number): LoadRequest {
  const name = `m${member}_${toolName}`;
  return { headers: modernHeaders(name), body: modernCall.body.replace(`"${toolName}"`, `"${name}"`) };
}

const { customer, ...fields } = toolArguments;

/** As plain HTTP, without MCP. */
export const directCall: LoadRequest & { readonly path: string } = {
  path: `/customers/${String(customer)}/orders/search`,
  headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'User-Agent': sampleCall.headers['User-Agent'] },
  body: JSON.stringify(fields),
};

/** Every answer to any of them has it, and no error has. */
export const answerMark = 'o-88213';
