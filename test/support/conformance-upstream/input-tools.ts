import {
  inputRequired,
  inputResponse,
  type ElicitRequestFormParams,
  type InputRequest,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { textResult } from './samples.ts';

type FormSchema = ElicitRequestFormParams['requestedSchema'];

/** Tools that ask the client for one thing. To a legacy client the SDK sends the request, a modern one gets `input_required`. */
export function registerInputTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Lets the client’s model answer', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, context) => sample(context, prompt),
  );
  server.registerTool('test_missing_capability', { description: 'Needs a client that offers sampling' }, (context) =>
    sample(context, 'Are you there?'),
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user for a name and an address', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => elicit(context, message, contactSchema),
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with a default for each primitive type' },
    (context) => elicit(context, 'Please review these values.', defaultsSchema),
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks with each form of choice' },
    (context) => elicit(context, 'Please choose.', choicesSchema),
  );
}

function elicit(context: ServerContext, message: string, requestedSchema: FormSchema) {
  const answer = inputResponse(context.mcpReq.inputResponses, 'form');
  if (answer.kind !== 'elicit') return ask('form', inputRequired.elicit({ message, requestedSchema }));
  return textResult(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
}

function sample(context: ServerContext, prompt: string) {
  const answer = inputResponse(context.mcpReq.inputResponses, 'reply');
  if (answer.kind === 'sampling') return textResult(`LLM response: ${JSON.stringify(answer.result.content)}`);
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: prompt } }];
  return ask('reply', inputRequired.createMessage({ messages, maxTokens: 100 }));
}

function ask(key: string, request: InputRequest) {
  return inputRequired({ inputRequests: { [key]: request } });
}

const contactSchema: FormSchema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: 'User’s response' },
    email: { type: 'string', description: 'User’s email address' },
  },
  required: ['username', 'email'],
};

const defaultsSchema: FormSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const options = ['option1', 'option2', 'option3'];
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((ordinal, index) => ({ const: `value${index + 1}`, title: `${ordinal} ${word}` }));

const choicesSchema: FormSchema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
};
