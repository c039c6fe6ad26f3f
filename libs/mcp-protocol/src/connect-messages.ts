import { rpcResult } from './client-of-message.ts';
import { rpcError, rpcErrorCodes, type RpcId } from './rpc-error.ts';

/** The way to an account that has to be connected first. */
export interface ConnectLink {
  readonly url: string;
  readonly linkId: string;
  /** What is said to the person; without the URL. */
  readonly message: string;
}

/** The one tool of a server that the caller is not connected with. */
export const connectTool = 'connect_account';
/** The key of the gateway's own request for input. */
const inputKey = 'gatehouse_connect';

/** For legacy clients that open URLs (MCP 2025-11-25, client/elicitation, URL elicitation required error). */
export const urlElicitationRequired = (id: RpcId, { url, linkId, message }: ConnectLink): string =>
  rpcError({ id, code: rpcErrorCodes.urlElicitationRequired, message, data: { elicitations: [{ mode: 'url', elicitationId: linkId, url, message }] } });

/** For modern clients that do (MCP 2026-07-28, multi round-trip requests). */
export const urlInputRequired = (id: RpcId, { url, linkId, message }: ConnectLink, requestState: string): string =>
  rpcResult(id, {
    resultType: 'input_required',
    inputRequests: { [inputKey]: { method: 'elicitation/create', params: { mode: 'url', elicitationId: linkId, url, message } } },
    requestState,
  });

/**
 * What the person answered to it: `accept`, `decline`, `cancel`, or nothing that says so.
 * @returns `undefined` where it is not answered
 */
export function connectAnswerOf(inputResponses: unknown): { readonly action: unknown } | undefined {
  if (!isJson(inputResponses) || !Object.hasOwn(inputResponses, inputKey)) return undefined;
  const answer = inputResponses[inputKey];
  return { action: isJson(answer) ? answer['action'] : undefined };
}

/** For everyone else: a model reads it and says it to its person. */
export const toolResult = (id: RpcId, text: string, isError: boolean, isModern: boolean): string =>
  rpcResult(id, { ...completed(isModern), content: [{ type: 'text', text }], isError });

/** @param verb what the person does with it: connect an account, or enter a credential */
export const connectToolList = (id: RpcId, app: string, isModern: boolean, verb: 'connect' | 'enter' = 'connect'): string =>
  rpcResult(id, {
    ...completed(isModern),
    tools: [
      {
        name: connectTool,
        title: `${verb === 'connect' ? 'Connect' : 'Enter'} ${app}`,
        description: `Call this first: the person has to ${verb} ${app} once, and the other tools of this server are listed then. Gives the link to open.`,
        inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      },
    ],
    ...uncached(isModern),
  });

export interface ServerDescription {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly instructions: string;
}

export const connectInitialized = (id: RpcId, protocolVersion: string, { instructions, ...serverInfo }: ServerDescription): string =>
  rpcResult(id, { protocolVersion, capabilities, serverInfo, instructions });

export const connectDiscovered = (id: RpcId, supportedVersions: readonly string[], { instructions, ...serverInfo }: ServerDescription): string =>
  rpcResult(id, { ...completed(true), supportedVersions, capabilities, instructions, ...uncached(true), _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } });

/** What goes onto a client's stream once it is done. */
export const connectNotifications = (linkId: string): string[] =>
  [{ method: 'notifications/elicitation/complete', params: { elicitationId: linkId } }, { method: 'notifications/tools/list_changed' }].map((message) => JSON.stringify({ jsonrpc: '2.0', ...message }));

/** Only what holds whatever the upstream turns out to have. */
const capabilities = { tools: { listChanged: true } };
const completed = (isModern: boolean): object => (isModern ? { resultType: 'complete' } : {});
const uncached = (isModern: boolean): object => (isModern ? { ttlMs: 0, cacheScope: 'private' } : {});
const isJson = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
