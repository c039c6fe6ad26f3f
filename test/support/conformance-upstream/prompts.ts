import { acceptedContent, completable, inputRequired, type GetPromptResult, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { form } from './round-trip-tools.ts';
import { samplePng } from './samples.ts';

type Content = GetPromptResult['messages'][number]['content'];

export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments' }, () =>
    fromUser({ type: 'text', text: 'This is a simple prompt for testing.' }),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'A prompt with two arguments',
      argsSchema: z.object({ arg1: completable(z.string(), suggest), arg2: z.string() }),
    },
    ({ arg1, arg2 }) => fromUser({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt that embeds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) =>
      fromUser(
        { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
        { type: 'text', text: 'Please process the embedded resource above.' },
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt that shows an image' }, () =>
    fromUser({ type: 'image', ...samplePng }, { type: 'text', text: 'Please analyze the image above.' }),
  );
  server.registerPrompt('test_input_required_result_prompt', { description: 'A prompt that asks for its context' }, (context) => {
    const answer = acceptedContent<{ context: string }>(context.mcpReq.inputResponses, 'user_context');
    if (answer !== undefined) return fromUser({ type: 'text', text: `Use this context: ${answer.context}` });
    return inputRequired({ inputRequests: { user_context: form('What context should the prompt use?', 'context') } });
  });
}

function fromUser(...contents: Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) };
}

function suggest(start: string): string[] {
  return ['paris', 'park', 'party'].filter((word) => word.startsWith(start));
}
