import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequest,
  type InputRequiredResult,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { textResult } from './samples.ts';

/** What a request state of this server says: how often it has asked. */
export interface RoundState {
  round: number;
}

type RoundTripTool = (context: ServerContext) => ToolAnswer | Promise<ToolAnswer>;

const prefix = 'test_input_required_result';

/** Multi round-trip tools of 2026-07-28: with and without state, with several requests, over several rounds. */
export function registerRoundTripTools(server: McpServer, states: RequestStateCodec<RoundState>): void {
  const register = (suffix: string, description: string, handler: RoundTripTool) =>
    server.registerTool(`${prefix}_${suffix}`, { description }, handler);

  register('elicitation', 'Asks for a name', greet);
  register('sampling', 'Asks the client’s model', (context) =>
    receivedOr(context, { capital_question: question('What is the capital of France?') }),
  );
  register('list_roots', 'Asks for the client’s roots', (context) =>
    receivedOr(context, { client_roots: inputRequired.listRoots() }),
  );
  register('capabilities', 'Asks only for what the client can do', (context) =>
    receivedOr(context, offeredRequests(context)),
  );
  register('multiple_inputs', 'Asks for three things at once', (context) =>
    receivedOr(context, everyRequest(), states),
  );
  for (const suffix of ['request_state', 'tampered_state']) {
    register(suffix, 'Asks with a state that must come back unchanged', (context) => confirmWithState(context, states));
  }
  register('multi_round', 'Asks twice', (context) => askTwice(context, states));
}

type ToolAnswer = CallToolResult | InputRequiredResult;

function greet(context: ServerContext): ToolAnswer {
  const answer = acceptedContent(context.mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }));
  if (answer !== undefined) return textResult(`Hello, ${answer.name}!`);
  return inputRequired({ inputRequests: { user_name: form('What is your name?', 'name') } });
}

/** Completes when each of the requests has an answer, and otherwise asks for all of them. */
async function receivedOr(
  context: ServerContext,
  inputRequests: Record<string, InputRequest>,
  states?: RequestStateCodec<RoundState>,
): Promise<ToolAnswer> {
  const keys = Object.keys(inputRequests);
  const isAnswered = (key: string) => inputResponse(context.mcpReq.inputResponses, key).kind !== 'missing';
  if (keys.length > 0 && keys.every(isAnswered)) {
    return textResult(`Received ${JSON.stringify(context.mcpReq.inputResponses)}`);
  }
  if (states === undefined) return inputRequired({ inputRequests });
  return inputRequired({ inputRequests, requestState: await states.mint({ round: 1 }) });
}

async function confirmWithState(context: ServerContext, states: RequestStateCodec<RoundState>): Promise<ToolAnswer> {
  const answer = acceptedContent(context.mcpReq.inputResponses, 'confirm');
  if (answer !== undefined && context.mcpReq.requestState<RoundState>()?.round === 1) return textResult('state-ok');
  return inputRequired({
    inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') },
    requestState: await states.mint({ round: 1 }),
  });
}

async function askTwice(context: ServerContext, states: RequestStateCodec<RoundState>): Promise<ToolAnswer> {
  const round = context.mcpReq.requestState<RoundState>()?.round ?? 0;
  if (round === 2) return textResult('Both steps are done.');
  const inputRequests: Record<string, InputRequest> =
    round === 0
      ? { step1: form('Step 1: What is your name?', 'name') }
      : { step2: form('Step 2: What is your favorite color?', 'color') };
  return inputRequired({ inputRequests, requestState: await states.mint({ round: round + 1 }) });
}

/** 2026-07-28 forbids asking for what the request's `clientCapabilities` do not name. */
function offeredRequests(context: ServerContext): Record<string, InputRequest> {
  const envelope: Record<string, ClientCapabilities | undefined> = context.mcpReq.envelope ?? {};
  const offered = envelope[CLIENT_CAPABILITIES_META_KEY];
  return {
    ...(offered?.elicitation === undefined ? {} : { user_name: form('What is your name?', 'name') }),
    ...(offered?.sampling === undefined ? {} : { greeting: question('Generate a greeting') }),
  };
}

function everyRequest(): Record<string, InputRequest> {
  return {
    user_name: form('What is your name?', 'name'),
    greeting: question('Generate a greeting'),
    client_roots: inputRequired.listRoots(),
  };
}

export function form(message: string, field: string, type: 'string' | 'boolean' = 'string'): InputRequest {
  const properties: Record<string, { type: 'string' } | { type: 'boolean' }> = { [field]: { type } };
  return inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required: [field] } });
}

function question(text: string): InputRequest {
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text } }];
  return inputRequired.createMessage({ messages, maxTokens: 100 });
}
