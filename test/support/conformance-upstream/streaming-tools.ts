import { setTimeout as pause } from 'node:timers/promises';
import {
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import { textResult } from './samples.ts';

const pauseMs = 50;

/** Tools that say something before they answer. A change is announced to this session, and to modern subscribers through `changes`. */
export function registerStreamingTools(server: McpServer, changes: ServerNotifier): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs three times while it works' }, logThreeTimes);
  server.registerTool('test_logging_tool', { description: 'Logs, where the request asks for a log level' }, logThreeTimes);
  server.registerTool('test_tool_with_progress', { description: 'Reports progress three times' }, reportProgress);
  server.registerTool('test_reconnection', { description: 'Closes its stream before it answers' }, closeStreamFirst);
  server.registerTool('test_streaming_elicitation', { description: 'Asks for input on its stream' }, askOnStream);
  server.registerTool('test_trigger_tool_change', { description: 'Announces a changed tool list' }, () => {
    server.sendToolListChanged();
    changes.toolsChanged();
    return textResult('The tool list changed.');
  });
  server.registerTool('test_trigger_prompt_change', { description: 'Announces a changed prompt list' }, () => {
    server.sendPromptListChanged();
    changes.promptsChanged();
    return textResult('The prompt list changed.');
  });
}

async function logThreeTimes(context: ServerContext) {
  await context.mcpReq.log('info', 'Tool execution started');
  await pause(pauseMs);
  await context.mcpReq.log('info', 'Tool processing data');
  await pause(pauseMs);
  await context.mcpReq.log('info', 'Tool execution completed');
  return textResult('Logged three times.');
}

async function reportProgress(context: ServerContext) {
  const progressToken = context.mcpReq._meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progress > 0) await pause(pauseMs);
    if (progressToken === undefined) continue;
    const params = { progressToken, progress, total: 100 };
    await context.mcpReq.notify({ method: 'notifications/progress', params });
  }
  return textResult('Reported progress three times.');
}

/** The client resumes by `Last-Event-ID` and finds the answer in the event store. */
async function closeStreamFirst(context: ServerContext) {
  context.http?.closeSSE?.();
  await pause(2 * pauseMs);
  return textResult('The answer came after the stream was closed.');
}

function askOnStream(context: ServerContext) {
  const answer = inputResponse(context.mcpReq.inputResponses, 'answer');
  if (answer.kind === 'elicit') return textResult(`The user chose ${answer.action}.`);
  const requestedSchema = { type: 'object' as const, properties: { answer: { type: 'string' as const } } };
  return inputRequired({
    inputRequests: { answer: inputRequired.elicit({ message: 'What is the answer?', requestedSchema }) },
  });
}
