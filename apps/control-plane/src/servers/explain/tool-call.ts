import { type ApiOperation, ArgumentError, buildApiRequest, validateArguments } from '@gatehouse/api-tools';
import type { CallFacts, PreparedServer } from '@gatehouse/upstream-request';

/** What the call of an API's tool asks of the API. */
export interface ToolRequest extends Pick<CallFacts, 'method' | 'body' | 'ownHeaders'> {
  /** Its name. */
  readonly tool: string;
  readonly body: string | Buffer | undefined;
  /** Path and query at the upstream. */
  readonly path: string;
}

/** The request that a data plane makes of a message; none where the message calls no tool, or one with arguments that do not fit it: then nothing is asked of the API. */
export function readToolCall({ operations, tools, upstream }: Pick<PreparedServer, 'operations' | 'tools' | 'upstream'>, message: string | undefined): ToolRequest | undefined {
  const called = operations === undefined ? undefined : calledTool(message);
  const operation = called && operations?.find(({ name }) => name === called.name && (tools?.mayCall(name) ?? true));
  return operation && requestOf(operation, called.arguments, new URL(upstream.url));
}

function requestOf(operation: ApiOperation, args: Json, baseUrl: URL): ToolRequest | undefined {
  if (validateArguments(operation)(args).length > 0) return undefined;
  try {
    const { method, path, headers, body } = buildApiRequest(operation, args, baseUrl);
    return { tool: operation.name, method, path, ownHeaders: headers.flat(), body };
  } catch (error) {
    if (error instanceof ArgumentError) return undefined;
    throw error;
  }
}

type Json = Readonly<Record<string, unknown>>;

function calledTool(message: string | undefined): { readonly name: string; readonly arguments: Json } | undefined {
  const { method, params } = parsed(message);
  if (method !== 'tools/call' || !isJson(params)) return undefined;
  const { name, arguments: args = {} } = params;
  return typeof name === 'string' && isJson(args) ? { name, arguments: args } : undefined;
}

/** What is no message is refused elsewhere. */
function parsed(message = '{}'): Json {
  try {
    const value: unknown = JSON.parse(message);
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
