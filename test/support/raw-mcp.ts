/** What an MCP endpoint says to one message. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly message: RawMessage;
}

export interface RawMessage {
  readonly id?: number | string | null;
  readonly result?: RawResult;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
}

export interface RawResult {
  readonly [member: string]: unknown;
  readonly isError?: boolean;
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
  readonly tools?: readonly { readonly name: string; readonly [member: string]: unknown }[];
  readonly nextCursor?: string;
}

export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a modern message (2026-07-28), with these capabilities. */
  readonly modern?: object;
  /** `null`: a notification. */
  readonly id?: number | string | null;
  readonly signal?: AbortSignal;
}

export const modernVersion = '2026-07-28';
const names: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' };

/** One message to an MCP endpoint, as no client library would help to write it. */
export async function sendRaw(url: string, method: string, params: Readonly<Record<string, unknown>> = {}, { headers = {}, modern, id = 1, signal }: RawOptions = {}): Promise<RawAnswer> {
  const envelope = { 'io.modelcontextprotocol/protocolVersion': modernVersion, 'io.modelcontextprotocol/clientCapabilities': modern };
  const name = params[names[method] ?? ''];
  const modernHeaders = { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) };
  return sendText(url, JSON.stringify({ jsonrpc: '2.0', ...(id !== null && { id }), method, params: modern === undefined ? params : { ...params, _meta: envelope } }), { ...(modern !== undefined && modernHeaders), ...headers }, signal);
}

export async function sendText(url: string, body: string, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<RawAnswer> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body, ...(signal && { signal }) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, message: text === '' ? {} : (JSON.parse(text) as RawMessage) };
}

/** The text of a tool's result. */
export const textIn = ({ message }: RawAnswer): string => (message.result?.content ?? []).map(({ text = '' }) => text).join('\n');
